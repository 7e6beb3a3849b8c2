// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON
package import KubeCore

/// A base image that knows how to load and serve a kind of model.
package struct Runtime: KubeResource {
    package static let kind = Hydro.kind("Runtime", "runtimes")
    package var metadata = ObjectMeta()
    package var spec = Spec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<Runtime> = [
        .init("metadata", \.metadata), .required("spec", \.spec), .init("status", \.status),
    ]

    package struct Spec: JSONRecord, Hashable {
        package var image = ""
        package var `protocol` = RuntimeProtocol.hydrosphere
        package var port = ResolvedRuntime.defaultPort
        package var healthPort: Int?
        package var env: [EnvVar] = []
        package var probes: RuntimeProbes?
        package var resources: Resources?
        package var terminationGracePeriodSeconds: Int?
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .required("image", \.image), .init("protocol", \.protocol), .init("port", \.port), .init("healthPort", \.healthPort),
            .init("env", \.env), .init("probes", \.probes), .init("resources", \.resources),
            .init("terminationGracePeriodSeconds", \.terminationGracePeriodSeconds),
        ]
    }

    package struct Status: JSONRecord {
        package var observedGeneration: Int64?
        package var digest: String?
        package var conditions: [Condition] = []
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("observedGeneration", \.observedGeneration), .init("digest", \.digest), .init("conditions", \.conditions),
        ]
    }
}

/// The gRPC service that a runtime's pods answer.
package enum RuntimeProtocol: String, Sendable, JSONCodable, CaseIterable {
    case hydrosphere
    case tensorflow
    case openInference = "open-inference"
}

/// A runtime as a version pins it: the image by digest, and all that its pods need.
package struct ResolvedRuntime: JSONRecord, Hashable {
    /// The port that the original's runtimes listen on.
    package static let defaultPort = 9091

    package var name: String?
    package var image = ""
    package var `protocol` = RuntimeProtocol.hydrosphere
    package var port = ResolvedRuntime.defaultPort
    package var healthPort: Int?
    package var env: [EnvVar] = []
    package var probes: RuntimeProbes?
    package var resources: Resources?
    package var terminationGracePeriodSeconds: Int?

    package init() {}
    package static let fields: JSONFields<ResolvedRuntime> = [
        .init("name", \.name), .required("image", \.image), .required("protocol", \.protocol), .required("port", \.port),
        .init("healthPort", \.healthPort), .init("env", \.env), .init("probes", \.probes), .init("resources", \.resources),
        .init("terminationGracePeriodSeconds", \.terminationGracePeriodSeconds),
    ]

    package init(_ spec: Runtime.Spec, name: String?, image: String) {
        self.name = name
        self.image = image
        `protocol` = spec.protocol
        port = spec.port
        healthPort = spec.healthPort
        env = spec.env
        probes = spec.probes
        resources = spec.resources
        terminationGracePeriodSeconds = spec.terminationGracePeriodSeconds
    }
}

/// How the kubelet asks a runtime whether it is well.
package struct RuntimeProbes: JSONRecord, Hashable {
    package var startup: RuntimeProbe?
    package var readiness: RuntimeProbe?
    package var liveness: RuntimeProbe?
    package init() {}
    package static let fields: JSONFields<RuntimeProbes> = [
        .init("startup", \.startup), .init("readiness", \.readiness), .init("liveness", \.liveness),
    ]
}

/// One question of the kubelet's: over http, grpc or tcp.
package struct RuntimeProbe: JSONRecord, Hashable {
    package var http: HTTP?
    package var grpc: GRPC?
    package var tcp: TCP?
    package var initialDelaySeconds: Int?
    package var periodSeconds: Int?
    package var timeoutSeconds: Int?
    package var failureThreshold: Int?
    package init() {}
    package static let fields: JSONFields<RuntimeProbe> = [
        .init("http", \.http), .init("grpc", \.grpc), .init("tcp", \.tcp), .init("initialDelaySeconds", \.initialDelaySeconds),
        .init("periodSeconds", \.periodSeconds), .init("timeoutSeconds", \.timeoutSeconds), .init("failureThreshold", \.failureThreshold),
    ]

    package struct HTTP: JSONRecord, Hashable {
        package var path = "/healthz"
        package var port = 0
        package init() {}
        package static let fields: JSONFields<HTTP> = [.init("path", \.path), .required("port", \.port)]
    }

    package struct GRPC: JSONRecord, Hashable {
        package var service: String?
        package var port = 0
        package init() {}
        package static let fields: JSONFields<GRPC> = [.init("service", \.service), .required("port", \.port)]
    }

    package struct TCP: JSONRecord, Hashable {
        package var port = 0
        package init() {}
        package static let fields: JSONFields<TCP> = [.required("port", \.port)]
    }
}
