// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import JSON
package import KubeCore

/// A running model version.
package struct Servable: KubeResource {
    package static let kind = Hydro.kind("Servable", "servables")
    package var metadata = ObjectMeta()
    package var spec = Spec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<Servable> = [
        .init("metadata", \.metadata), .required("spec", \.spec), .init("status", \.statusIfAny),
    ]

    private var statusIfAny: Status? {
        get { status == Status() ? nil : status }
        set { status = newValue ?? Status() }
    }

    package struct Spec: JSONRecord, Hashable {
        package var modelVersion = ""
        package var deploymentConfiguration: String?
        /// Set by `kubectl scale`; goes before the deployment configuration's.
        package var replicas: Int?
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .required("modelVersion", \.modelVersion), .init("deploymentConfiguration", \.deploymentConfiguration),
            .init("replicas", \.replicas),
        ]
    }

    package struct Status: JSONRecord {
        package var observedGeneration: Int64?
        package var replicas: Int?
        package var readyReplicas: Int?
        /// The pods' labels as text, for the `scale` subresource.
        package var selector: String?
        package var service: String?
        package var image: String?
        package var `protocol`: RuntimeProtocol?
        package var port: Int?
        package var model: String?
        package var version: Int?
        package var signature: Signature?
        package var conditions: [Condition] = []
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("observedGeneration", \.observedGeneration), .init("replicas", \.replicas), .init("readyReplicas", \.readyReplicas),
            .init("selector", \.selector), .init("service", \.service), .init("image", \.image), .init("protocol", \.protocol),
            .init("port", \.port), .init("model", \.model), .init("version", \.version), .init("signature", \.signature),
            .init("conditions", \.conditions),
        ]
    }
}
