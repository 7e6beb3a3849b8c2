// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// One container of a pod.
package struct Container: JSONRecord {
    package var name = ""
    package var image = ""
    package var imagePullPolicy: String?
    package var command: [String] = []
    package var args: [String] = []
    package var env: [EnvVar] = []
    package var ports: [ContainerPort] = []
    package var resources: Resources?
    package var volumeMounts: [VolumeMount] = []
    package var startupProbe: Probe?
    package var readinessProbe: Probe?
    package var livenessProbe: Probe?
    package var lifecycle: Lifecycle?
    package var securityContext: SecurityContext?
    package var terminationMessagePolicy: String?

    package init() {}
    package static let fields: JSONFields<Container> = [
        .init("name", \.name), .init("image", \.image), .init("imagePullPolicy", \.imagePullPolicy), .init("command", \.command),
        .init("args", \.args), .init("env", \.env), .init("ports", \.ports), .init("resources", \.resources),
        .init("volumeMounts", \.volumeMounts), .init("startupProbe", \.startupProbe), .init("readinessProbe", \.readinessProbe),
        .init("livenessProbe", \.livenessProbe), .init("lifecycle", \.lifecycle), .init("securityContext", \.securityContext),
        .init("terminationMessagePolicy", \.terminationMessagePolicy),
    ]
}

/// A variable of a container's environment.
package struct EnvVar: JSONRecord, Hashable {
    package var name = ""
    package var value: String?
    package var valueFrom: EnvSource?
    package init() {}
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
    /// A variable that takes its value from a field of the pod.
    package init(_ name: String, fieldPath: String) {
        self.name = name
        var field = FieldRef()
        field.fieldPath = fieldPath
        var source = EnvSource()
        source.fieldRef = field
        valueFrom = source
    }
    package static let fields: JSONFields<EnvVar> = [.init("name", \.name), .init("value", \.written), .init("valueFrom", \.valueFrom)]

    /// Nothing in place of an empty value: Kubernetes takes them for the same and keeps none, and server-side apply on 1.20 refuses an
    /// empty string in a custom resource.
    private var written: String? {
        get { value?.isEmpty == true ? nil : value }
        set { value = newValue }
    }
}

/// Where a variable's value comes from.
package struct EnvSource: JSONRecord, Hashable {
    package var fieldRef: FieldRef?
    package init() {}
    package static let fields: JSONFields<EnvSource> = [.init("fieldRef", \.fieldRef)]
}

/// A field of the pod that the container runs in.
package struct FieldRef: JSONRecord, Hashable {
    package var fieldPath = ""
    package init() {}
    package static let fields: JSONFields<FieldRef> = [.init("fieldPath", \.fieldPath)]
}

/// A port that a container listens on.
package struct ContainerPort: JSONRecord, Hashable {
    package var name = ""
    package var containerPort = 0
    /// Always said: server-side apply on Kubernetes 1.20 does not know the default.
    package var `protocol` = "TCP"
    package init() {}
    package init(_ name: String, _ port: Int) {
        self.name = name
        containerPort = port
    }
    package static let fields: JSONFields<ContainerPort> = [
        .init("name", \.name), .init("containerPort", \.containerPort), .init("protocol", \.protocol),
    ]
}

/// What a container asks for and may use at most; quantities as text.
package struct Resources: JSONRecord, Hashable {
    package var limits: [String: String] = [:]
    package var requests: [String: String] = [:]
    package init() {}
    package init(requests: [String: String], limits: [String: String]) {
        self.requests = requests
        self.limits = limits
    }
    package static let fields: JSONFields<Resources> = [.init("limits", \.limits), .init("requests", \.requests)]
}

/// Where a volume of the pod appears in a container.
package struct VolumeMount: JSONRecord, Hashable {
    package var name = ""
    package var mountPath = ""
    package var readOnly: Bool?
    package init() {}
    package init(_ name: String, at path: String) {
        self.name = name
        mountPath = path
    }
    package static let fields: JSONFields<VolumeMount> = [
        .init("name", \.name), .init("mountPath", \.mountPath), .init("readOnly", \.readOnly),
    ]
}

/// How the kubelet asks a container whether it is well.
package struct Probe: JSONRecord, Hashable {
    package var httpGet: HTTPGet?
    package var grpc: GRPC?
    package var tcpSocket: TCPSocket?
    package var initialDelaySeconds: Int?
    package var periodSeconds: Int?
    package var timeoutSeconds: Int?
    package var failureThreshold: Int?
    package init() {}
    package static let fields: JSONFields<Probe> = [
        .init("httpGet", \.httpGet), .init("grpc", \.grpc), .init("tcpSocket", \.tcpSocket),
        .init("initialDelaySeconds", \.initialDelaySeconds), .init("periodSeconds", \.periodSeconds),
        .init("timeoutSeconds", \.timeoutSeconds), .init("failureThreshold", \.failureThreshold),
    ]

    package struct HTTPGet: JSONRecord, Hashable {
        package var path: String?
        package var port = IntOrString.int(0)
        package init() {}
        package init(path: String?, port: Int) {
            self.path = path
            self.port = .int(port)
        }
        package static let fields: JSONFields<HTTPGet> = [.init("path", \.path), .init("port", \.port)]
    }

    /// Served from Kubernetes 1.24 on.
    package struct GRPC: JSONRecord, Hashable {
        package var port = 0
        package var service: String?
        package init() {}
        package init(port: Int, service: String?) {
            self.port = port
            self.service = service
        }
        package static let fields: JSONFields<GRPC> = [.init("port", \.port), .init("service", \.service)]
    }

    package struct TCPSocket: JSONRecord, Hashable {
        package var port = IntOrString.int(0)
        package init() {}
        package init(port: Int) { self.port = .int(port) }
        package static let fields: JSONFields<TCPSocket> = [.init("port", \.port)]
    }
}

/// What the kubelet does before it stops a container.
package struct Lifecycle: JSONRecord, Hashable {
    package var preStop: Handler?
    package init() {}
    package static let fields: JSONFields<Lifecycle> = [.init("preStop", \.preStop)]

    package struct Handler: JSONRecord, Hashable {
        package var exec: Exec?
        package init() {}
        package static let fields: JSONFields<Handler> = [.init("exec", \.exec)]
    }

    package struct Exec: JSONRecord, Hashable {
        package var command: [String] = []
        package init() {}
        package static let fields: JSONFields<Exec> = [.init("command", \.command)]
    }
}

/// What a container may do on its node.
package struct SecurityContext: JSONRecord, Hashable {
    package var allowPrivilegeEscalation: Bool?
    package var readOnlyRootFilesystem: Bool?
    package var runAsNonRoot: Bool?
    package var runAsUser: Int?
    package var capabilities: Capabilities?
    package var seccompProfile: SeccompProfile?
    package init() {}
    package static let fields: JSONFields<SecurityContext> = [
        .init("allowPrivilegeEscalation", \.allowPrivilegeEscalation), .init("readOnlyRootFilesystem", \.readOnlyRootFilesystem),
        .init("runAsNonRoot", \.runAsNonRoot), .init("runAsUser", \.runAsUser), .init("capabilities", \.capabilities),
        .init("seccompProfile", \.seccompProfile),
    ]

    /// What the `restricted` Pod Security Standard asks of a container.
    package static var restricted: SecurityContext {
        var context = SecurityContext()
        context.allowPrivilegeEscalation = false
        context.runAsNonRoot = true
        context.capabilities = Capabilities()
        context.capabilities?.drop = ["ALL"]
        context.seccompProfile = SeccompProfile()
        return context
    }

    package struct Capabilities: JSONRecord, Hashable {
        package var drop: [String] = []
        package init() {}
        package static let fields: JSONFields<Capabilities> = [.init("drop", \.drop)]
    }

    package struct SeccompProfile: JSONRecord, Hashable {
        package var type = "RuntimeDefault"
        package init() {}
        package static let fields: JSONFields<SeccompProfile> = [.init("type", \.type)]
    }
}
