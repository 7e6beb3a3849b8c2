// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// A name, and perhaps an address, for the pods that its selector finds.
package struct Service: KubeResource {
    package static let kind = ResourceKind("", "v1", "Service", "services")
    package var metadata = ObjectMeta()
    package var spec = Spec()

    package init() {}
    package static let fields: JSONFields<Service> = [.init("metadata", \.metadata), .init("spec", \.spec)]

    package struct Spec: JSONRecord {
        package var type: String?
        /// `None` makes it headless: its name resolves to the pods themselves.
        package var clusterIP: String?
        package var selector: [String: String] = [:]
        package var ports: [ServicePort] = []
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .init("type", \.type), .init("clusterIP", \.clusterIP), .init("selector", \.selector), .init("ports", \.ports),
        ]
    }
}

/// A port of a Service.
package struct ServicePort: JSONRecord, Hashable {
    package var name = ""
    package var port = 0
    package var targetPort: IntOrString?
    /// Always written: server-side apply on Kubernetes 1.20 takes no port without it, being one of the list's keys.
    package var `protocol` = "TCP"
    package init() {}
    package init(_ name: String, _ port: Int) {
        self.name = name
        self.port = port
        targetPort = .string(name)
    }
    package static let fields: JSONFields<ServicePort> = [
        .init("name", \.name), .init("port", \.port), .init("targetPort", \.targetPort), .init("protocol", \.protocol),
    ]
}

/// Some of a Service's pods and their addresses (KEP-752). `v1` from Kubernetes 1.21 on, `v1beta1` before.
package struct EndpointSlice: KubeResource {
    package static let kind = ResourceKind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
    /// The label that names the Service.
    package static let serviceLabel = "kubernetes.io/service-name"
    package var metadata = ObjectMeta()
    package var addressType = ""
    package var endpoints: [Endpoint] = []
    package var ports: [Port] = []

    package init() {}
    package static let fields: JSONFields<EndpointSlice> = [
        .init("metadata", \.metadata), .init("addressType", \.addressType), .init("endpoints", \.endpoints), .init("ports", \.ports),
    ]

    package struct Endpoint: JSONRecord, Hashable {
        package var addresses: [String] = []
        package var conditions = Conditions()
        package init() {}
        package static let fields: JSONFields<Endpoint> = [.init("addresses", \.addresses), .init("conditions", \.conditions)]
    }

    package struct Conditions: JSONRecord, Hashable {
        /// Unknown counts as ready.
        package var ready: Bool?
        package var terminating: Bool?
        package init() {}
        package static let fields: JSONFields<Conditions> = [.init("ready", \.ready), .init("terminating", \.terminating)]
    }

    package struct Port: JSONRecord, Hashable {
        package var name: String?
        package var port: Int?
        package init() {}
        package static let fields: JSONFields<Port> = [.init("name", \.name), .init("port", \.port)]
    }
}
