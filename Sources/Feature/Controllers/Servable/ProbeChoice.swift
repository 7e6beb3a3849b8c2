// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import KubeCore

/// The three probes of a runtime's container: what the runtime declares, or what fits its ports.
package struct ProbeChoice: Equatable, Sendable {
    package var startup: Probe
    package var readiness: Probe
    package var liveness: Probe

    /// - Parameters:
    ///   - model: the name that the container knows its model by.
    ///   - hasGRPCProbes: without them a gRPC probe becomes one that only connects.
    package init(runtime: ResolvedRuntime, model: String, hasGRPCProbes: Bool) {
        let declared = runtime.probes
        let readiness = declared?.readiness ?? Self.usual(runtime, Self.readyPath(runtime.protocol, model))
        let liveness = declared?.liveness ?? declared?.readiness ?? Self.usual(runtime, Self.livePath(runtime.protocol))
        // Ten minutes to load a model, unless the runtime says otherwise.
        startup = Self.probe(declared?.startup ?? readiness, hasGRPCProbes, period: 2, timeout: 3, failures: 300)
        self.readiness = Self.probe(readiness, hasGRPCProbes, period: 2, timeout: 3, failures: 3)
        self.liveness = Self.probe(liveness, hasGRPCProbes, period: 10, timeout: 5, failures: 6)
    }

    /// Where servers of a protocol say over HTTP that their model is loaded.
    private static func readyPath(_ spoken: RuntimeProtocol, _ model: String) -> String {
        switch spoken {
        case .hydrosphere: "/healthz"
        case .openInference: "/v2/health/ready"
        // It has no page for itself; this one is there once the model is.
        case .tensorflow: "/v1/models/\(model)/metadata"
        }
    }

    /// Where they say that they live; nil where nothing but the model speaks.
    private static func livePath(_ spoken: RuntimeProtocol) -> String? {
        switch spoken {
        case .hydrosphere: "/healthz"
        case .openInference: "/v2/health/live"
        case .tensorflow: nil
        }
    }

    private static func usual(_ runtime: ResolvedRuntime, _ path: String?) -> RuntimeProbe {
        var probe = RuntimeProbe()
        if let port = runtime.healthPort, let path {
            probe.http = RuntimeProbe.HTTP()
            probe.http?.path = path
            probe.http?.port = port
        } else {
            probe.tcp = RuntimeProbe.TCP()
            probe.tcp?.port = runtime.port
        }
        return probe
    }

    private static func probe(_ wish: RuntimeProbe, _ hasGRPCProbes: Bool, period: Int, timeout: Int, failures: Int) -> Probe {
        var probe = Probe()
        if let http = wish.http {
            probe.httpGet = Probe.HTTPGet(path: http.path, port: http.port)
        } else if let grpc = wish.grpc {
            if hasGRPCProbes {
                probe.grpc = Probe.GRPC(port: grpc.port, service: grpc.service)
            } else {
                probe.tcpSocket = Probe.TCPSocket(port: grpc.port)
            }
        } else if let tcp = wish.tcp {
            probe.tcpSocket = Probe.TCPSocket(port: tcp.port)
        }
        probe.initialDelaySeconds = wish.initialDelaySeconds
        probe.periodSeconds = wish.periodSeconds ?? period
        probe.timeoutSeconds = wish.timeoutSeconds ?? timeout
        probe.failureThreshold = wish.failureThreshold ?? failures
        return probe
    }
}
