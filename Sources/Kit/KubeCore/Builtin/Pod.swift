// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// A pod, as its controllers and the kubelet report it.
package struct Pod: KubeResource {
    package static let kind = ResourceKind("", "v1", "Pod", "pods")
    package var metadata = ObjectMeta()
    package var spec = PodSpec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<Pod> = [.init("metadata", \.metadata), .init("spec", \.spec), .init("status", \.status)]

    package struct Status: JSONRecord {
        package var phase = ""
        package var reason = ""
        package var message = ""
        package var podIP = ""
        package var conditions: [DeploymentCondition] = []
        package var containerStatuses: [ContainerStatus] = []
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("phase", \.phase), .init("reason", \.reason), .init("message", \.message), .init("podIP", \.podIP),
            .init("conditions", \.conditions), .init("containerStatuses", \.containerStatuses),
        ]
    }

    package struct ContainerStatus: JSONRecord {
        package var name = ""
        package var ready = false
        package var restartCount = 0
        package var state = State()
        package var lastState = State()
        package init() {}
        package static let fields: JSONFields<ContainerStatus> = [
            .init("name", \.name), .init("ready", \.ready), .init("restartCount", \.restartCount), .init("state", \.state),
            .init("lastState", \.lastState),
        ]
    }

    package struct State: JSONRecord {
        package var waiting: Waiting?
        package var terminated: Terminated?
        package init() {}
        package static let fields: JSONFields<State> = [.init("waiting", \.waiting), .init("terminated", \.terminated)]
    }

    package struct Waiting: JSONRecord {
        package var reason = ""
        package var message = ""
        package init() {}
        package static let fields: JSONFields<Waiting> = [.init("reason", \.reason), .init("message", \.message)]
    }

    package struct Terminated: JSONRecord {
        package var reason = ""
        package var message = ""
        package var exitCode = 0
        package init() {}
        package static let fields: JSONFields<Terminated> = [
            .init("reason", \.reason), .init("message", \.message), .init("exitCode", \.exitCode),
        ]
    }
}

/// What pods are made from.
package struct PodTemplate: JSONRecord {
    package var metadata = ObjectMeta()
    package var spec = PodSpec()
    package init() {}
    /// A template has labels and annotations, and neither name nor life.
    package static let fields: JSONFields<PodTemplate> = [.init("metadata", \.marks), .init("spec", \.spec)]

    private var marks: Marks {
        get { Marks(labels: metadata.labels, annotations: metadata.annotations) }
        set {
            metadata.labels = newValue.labels
            metadata.annotations = newValue.annotations
        }
    }

    private struct Marks: JSONRecord {
        var labels: [String: String] = [:]
        var annotations: [String: String] = [:]
        static let fields: JSONFields<Marks> = [.init("labels", \.labels), .init("annotations", \.annotations)]
    }
}

/// Containers that live and die together on one node.
package struct PodSpec: JSONRecord {
    package var serviceAccountName: String?
    package var automountServiceAccountToken: Bool?
    package var containers: [Container] = []
    package var volumes: [Volume] = []
    package var imagePullSecrets: [LocalRef] = []
    package var nodeSelector: [String: String] = [:]
    package var affinity: JSONValue?
    package var tolerations: [JSONValue] = []
    package var topologySpreadConstraints: [TopologySpread] = []
    package var securityContext: PodSecurityContext?
    package var terminationGracePeriodSeconds: Int?
    package var enableServiceLinks: Bool?

    package init() {}
    package static let fields: JSONFields<PodSpec> = [
        .init("serviceAccountName", \.serviceAccountName), .init("automountServiceAccountToken", \.automountServiceAccountToken),
        .init("containers", \.containers), .init("volumes", \.volumes), .init("imagePullSecrets", \.imagePullSecrets),
        .init("nodeSelector", \.nodeSelector), .init("affinity", \.affinity), .init("tolerations", \.tolerations),
        .init("topologySpreadConstraints", \.topologySpreadConstraints), .init("securityContext", \.securityContext),
        .init("terminationGracePeriodSeconds", \.terminationGracePeriodSeconds), .init("enableServiceLinks", \.enableServiceLinks),
    ]
}

/// A volume that lives as long as its pod.
package struct Volume: JSONRecord, Hashable {
    package var name = ""
    package var emptyDir: EmptyDir?
    package var secret: SecretVolume?
    package var configMap: ConfigMapVolume?
    package init() {}
    package init(_ name: String, secret: String) {
        self.name = name
        self.secret = SecretVolume()
        self.secret?.secretName = secret
    }
    package init(_ name: String, configMap: String) {
        self.name = name
        self.configMap = ConfigMapVolume()
        self.configMap?.name = configMap
    }
    package init(emptyDir name: String) {
        self.name = name
        emptyDir = EmptyDir()
    }
    package static let fields: JSONFields<Volume> = [
        .init("name", \.name), .init("emptyDir", \.emptyDir), .init("secret", \.secret), .init("configMap", \.configMap),
    ]

    package struct EmptyDir: JSONRecord, Hashable {
        package var medium: String?
        package var sizeLimit: String?
        package init() {}
        package static let fields: JSONFields<EmptyDir> = [.init("medium", \.medium), .init("sizeLimit", \.sizeLimit)]
    }

    package struct ConfigMapVolume: JSONRecord, Hashable {
        package var name = ""
        package init() {}
        package static let fields: JSONFields<ConfigMapVolume> = [.init("name", \.name)]
    }

    package struct SecretVolume: JSONRecord, Hashable {
        package var secretName = ""
        package init() {}
        package static let fields: JSONFields<SecretVolume> = [.init("secretName", \.secretName)]
    }
}

/// An object of the same namespace, by name.
package struct LocalRef: JSONRecord, Hashable {
    package var name = ""
    package init() {}
    package init(_ name: String) { self.name = name }
    package static let fields: JSONFields<LocalRef> = [.init("name", \.name)]
}

/// How evenly pods are spread over nodes or zones.
package struct TopologySpread: JSONRecord, Hashable {
    package var maxSkew = 1
    package var topologyKey = ""
    package var whenUnsatisfiable = "ScheduleAnyway"
    package var labelSelector = LabelSelector()
    package init() {}
    package init(over topologyKey: String, of labels: [String: String]) {
        self.topologyKey = topologyKey
        labelSelector = LabelSelector(labels)
    }

    /// Over nodes and over zones, as evenly as there is room.
    package static func everywhere(_ labels: [String: String]) -> [TopologySpread] {
        ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map { TopologySpread(over: $0, of: labels) }
    }

    package static let fields: JSONFields<TopologySpread> = [
        .init("maxSkew", \.maxSkew), .init("topologyKey", \.topologyKey), .init("whenUnsatisfiable", \.whenUnsatisfiable),
        .init("labelSelector", \.labelSelector),
    ]
}

/// What all containers of a pod may do.
package struct PodSecurityContext: JSONRecord, Hashable {
    package var runAsNonRoot: Bool?
    package var runAsUser: Int?
    package var runAsGroup: Int?
    package var fsGroup: Int?
    package var seccompProfile: SecurityContext.SeccompProfile?
    package init() {}

    /// What the `restricted` Pod Security Standard asks of a pod.
    package static var restricted: PodSecurityContext {
        var context = PodSecurityContext()
        context.runAsNonRoot = true
        context.seccompProfile = SecurityContext.SeccompProfile()
        return context
    }

    package static let fields: JSONFields<PodSecurityContext> = [
        .init("runAsNonRoot", \.runAsNonRoot), .init("runAsUser", \.runAsUser), .init("runAsGroup", \.runAsGroup),
        .init("fsGroup", \.fsGroup), .init("seccompProfile", \.seccompProfile),
    ]
}
