// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import KubeCore

/// The three probes of a runtime's container: what the runtime declares, or what fits its ports.
package struct ProbeChoice: Equatable, Sendable {
    package var startup: Probe
    package var readiness: Probe
    package var liveness: Probe

    /// - Parameter hasGRPCProbes: without them a gRPC probe becomes one that only connects.
    package init(runtime: ResolvedRuntime, hasGRPCProbes: Bool) {
        let usual = Self.usual(runtime)
        let declared = runtime.probes
        let readiness = declared?.readiness ?? usual
        // Ten minutes to load a model, unless the runtime says otherwise.
        startup = Self.probe(declared?.startup ?? readiness, hasGRPCProbes, period: 2, timeout: 3, failures: 300)
        self.readiness = Self.probe(readiness, hasGRPCProbes, period: 2, timeout: 3, failures: 3)
        liveness = Self.probe(declared?.liveness ?? readiness, hasGRPCProbes, period: 10, timeout: 5, failures: 6)
    }

    private static func usual(_ runtime: ResolvedRuntime) -> RuntimeProbe {
        var probe = RuntimeProbe()
        if let port = runtime.healthPort {
            probe.http = RuntimeProbe.HTTP()
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
