// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Pods of one template, kept at a number and rolled when the template changes.
package struct Deployment: KubeResource {
    package static let kind = ResourceKind("apps", "v1", "Deployment", "deployments")
    package var metadata = ObjectMeta()
    package var spec = Spec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<Deployment> = [
        .init("metadata", \.metadata), .init("spec", \.spec), .init("status", \.statusIfAny),
    ]

    private var statusIfAny: Status? {
        get { status == Status() ? nil : status }
        set { status = newValue ?? Status() }
    }

    package struct Spec: JSONRecord {
        /// Left out where an autoscaler decides.
        package var replicas: Int?
        package var selector = LabelSelector()
        package var template = PodTemplate()
        package var strategy: Strategy?
        package var minReadySeconds: Int?
        package var progressDeadlineSeconds: Int?
        package var revisionHistoryLimit: Int?
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .init("replicas", \.replicas), .init("selector", \.selector), .init("template", \.template), .init("strategy", \.strategy),
            .init("minReadySeconds", \.minReadySeconds), .init("progressDeadlineSeconds", \.progressDeadlineSeconds),
            .init("revisionHistoryLimit", \.revisionHistoryLimit),
        ]
    }

    package struct Strategy: JSONRecord {
        package var type = "RollingUpdate"
        package var rollingUpdate: Rolling?
        package init() {}
        package init(maxSurge: IntOrString, maxUnavailable: IntOrString) {
            var rolling = Rolling()
            rolling.maxSurge = maxSurge
            rolling.maxUnavailable = maxUnavailable
            rollingUpdate = rolling
        }
        package static let fields: JSONFields<Strategy> = [.init("type", \.type), .init("rollingUpdate", \.rollingUpdate)]
    }

    package struct Rolling: JSONRecord {
        package var maxSurge: IntOrString?
        package var maxUnavailable: IntOrString?
        package init() {}
        package static let fields: JSONFields<Rolling> = [.init("maxSurge", \.maxSurge), .init("maxUnavailable", \.maxUnavailable)]
    }

    package struct Status: JSONRecord {
        package var observedGeneration: Int64 = 0
        package var replicas = 0
        package var updatedReplicas = 0
        package var readyReplicas = 0
        package var availableReplicas = 0
        package var conditions: [DeploymentCondition] = []
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("observedGeneration", \.observedGeneration), .init("replicas", \.replicas), .init("updatedReplicas", \.updatedReplicas),
            .init("readyReplicas", \.readyReplicas), .init("availableReplicas", \.availableReplicas), .init("conditions", \.conditions),
        ]
    }
}

/// What a workload's own controller says of it.
package struct DeploymentCondition: JSONRecord {
    package var type = ""
    package var status = ""
    package var reason = ""
    package var message = ""
    package init() {}
    package static let fields: JSONFields<DeploymentCondition> = [
        .init("type", \.type), .init("status", \.status), .init("reason", \.reason), .init("message", \.message),
    ]
}

/// Which objects belong: by their labels.
package struct LabelSelector: JSONRecord, Hashable {
    package var matchLabels: [String: String] = [:]
    package init() {}
    package init(_ labels: [String: String]) { matchLabels = labels }
    package static let fields: JSONFields<LabelSelector> = [.init("matchLabels", \.matchLabels)]
}

/// A number, a percentage, or a name.
package enum IntOrString: Hashable, Sendable, JSONCodable {
    case int(Int)
    case string(String)

    package init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.peek() == .string ? .string(reader.string()) : .int(Int(reader.int()))
    }
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .int(let number): writer.int(number)
        case .string(let text): writer.string(text)
        }
    }
}
