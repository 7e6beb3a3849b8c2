// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc
package import Logging
import Synchronization

/// Serves HTTP/1.1 and HTTP/2 (with prior knowledge) on one port, from every loop.
///
/// Each loop has a listening socket of its own on the same port, so that the kernel spreads connections and nobody shares a
/// lock. Over HTTP/1.1 a caller that half-closes its connection is taken to have left.
package final class WireServer: Sendable {
    private let address: String
    private let wantedPort: Int
    private let loops: WireLoops
    private let limits: WireLimits
    private let handler: any WireHandler
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var port = 0
        var shares: [LoopServer] = []
        var isDraining: Duration?
        var isRunning = false
    }

    /// Prepares a server. `port` 0 takes any that is free.
    package init(
        address: String, port: Int, loops: WireLoops, limits: WireLimits = WireLimits(), handler: any WireHandler, logger: Logger
    ) {
        self.address = address
        wantedPort = port
        self.loops = loops
        self.limits = limits
        self.handler = handler
        self.logger = logger
    }

    /// The port listened on; 0 before `bind`.
    package var port: Int { state.withLock { $0.port } }

    /// What all loops have done together.
    package var statistics: WireStatistics {
        var sum = WireStatistics()
        for share in state.withLock({ $0.shares }) { share.counters.add(to: &sum) }
        return sum
    }

    /// Listens. Callers may connect from now on, and are served once `run` runs. `run` does this if nobody has.
    package func bind() throws(WireError) {
        guard state.withLock({ $0.shares.isEmpty }) else { return }
        var port = wantedPort
        var descriptors: [Int32] = []
        do throws(WireError) {
            for _ in loops.all {
                let (descriptor, bound) = try listen(on: port)
                descriptors.append(descriptor)
                port = bound
            }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
        let shares = zip(loops.all, descriptors).map { LoopServer(listening: $1, on: $0, limits: limits) }
        state.withLock {
            $0.port = port
            $0.shares = shares
        }
        logger.debug("listening", metadata: ["address": "\(SocketAddress(address, port))"])
    }

    /// Serves until drained or cancelled. Cancelling cuts every connection; `beginDrain` is the polite way.
    package func run() async throws {
        try bind()
        let (shares, draining) = state.withLock {
            $0.isRunning = true
            return ($0.shares, $0.isDraining)
        }
        if let draining { beginDrain(within: draining) }
        let handler = handler
        try await withTaskCancellationHandler {
            try await withThrowingDiscardingTaskGroup { group in
                for share in shares {
                    group.addTask(executorPreference: share.loop) { try await share.serve(handler) }
                }
            }
        } onCancel: {
            for share in shares { share.loop.post { share.cut() } }
        }
        logger.debug("served", metadata: ["port": "\(port)", "requests": "\(statistics.requests)"])
    }

    /// Stops accepting and lets what is in flight finish: `run` returns when all is done, or when `deadline` cuts the rest.
    ///
    /// HTTP/1.1 answers say `Connection: close`; HTTP/2 callers get GOAWAY. Idle connections may ask once more within
    /// `WireLimits.drainGrace`. A second call changes nothing.
    package func beginDrain(within deadline: Duration? = nil) {
        let deadline = deadline ?? limits.drainTimeout
        let shares = state.withLock { state in
            state.isDraining = state.isDraining ?? deadline
            return state.isRunning ? state.shares : []
        }
        for share in shares { share.loop.post { share.drain(within: deadline) } }
    }

    private func listen(on port: Int) throws(WireError) -> (descriptor: Int32, port: Int) {
        guard let wanted = SocketAddress(address, port).kernelAddress() else { throw .notAnAddress(address) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(wanted.family, kind, 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, socklen_t(MemoryLayout<Int32>.size))
        guard wanted.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 1024) == 0 else {
            let code = errno
            close(descriptor)
            throw .bindFailed("\(SocketAddress(address, port))", errno: code)
        }
        var bound = KernelAddress()
        _ = bound.withMutablePointer { getsockname(descriptor, $0, &$1) }
        return (descriptor, bound.socketAddress.port)
    }
}
