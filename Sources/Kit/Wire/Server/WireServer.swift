// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
package import Logging
import Synchronization

/// Serves HTTP/1.1 and HTTP/2 (with prior knowledge) on one port or path, from every loop.
///
/// Each loop has a listening socket of its own on the port, so that the kernel spreads connections and nobody shares a
/// lock. Over HTTP/1.1 a caller that half-closes its connection is taken to have left.
package final class WireServer: Sendable {
    private let address: SocketAddress
    let loops: WireLoops
    private let limits: WireLimits
    private let tls: TLSFiles?
    private let handler: any WireHandler
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var port = 0
        var identity: TLSIdentity?
        var shares: [LoopServer] = []
        var isDraining: Duration?
        var isRunning = false
    }

    /// Prepares a server. Port 0 takes any that is free.
    ///
    /// With `tls` everything is encrypted (TLS 1.2 or later; ALPN chooses between HTTP/2 and HTTP/1.1; tickets make coming back cheap).
    /// A path gets a socket file with mode 0660, which is removed at the end; one that a crash has left behind is replaced.
    package init(
        at address: SocketAddress, loops: WireLoops, limits: WireLimits = WireLimits(), tls: TLSFiles? = nil,
        handler: any WireHandler, logger: Logger
    ) {
        self.address = address
        self.loops = loops
        self.limits = limits
        self.tls = tls
        self.handler = handler
        self.logger = logger
    }

    /// The same for an IP address and a port.
    package convenience init(
        address: String, port: Int, loops: WireLoops, limits: WireLimits = WireLimits(), tls: TLSFiles? = nil,
        handler: any WireHandler, logger: Logger
    ) {
        self.init(at: SocketAddress(address, port), loops: loops, limits: limits, tls: tls, handler: handler, logger: logger)
    }

    /// The port listened on; 0 before `bind`.
    package var port: Int { state.withLock { $0.port } }

    /// What all loops have done together.
    package var statistics: WireStatistics {
        var sum = WireStatistics()
        let (shares, identity) = state.withLock { ($0.shares, $0.identity) }
        identity?.add(to: &sum)
        for share in shares { share.counters.add(to: &sum) }
        return sum
    }

    /// Listens. Callers may connect from now on, and are served once `run` runs. `run` does this if nobody has.
    package func bind() throws(WireError) {
        guard state.withLock({ $0.shares.isEmpty }) else { return }
        // Before the port: a server that cannot say who it is must not seem to be there.
        let identity: TLSIdentity? = if let tls { try TLSIdentity(tls, logger: logger) } else { nil }
        let (descriptors, bound, file) = try ListeningSocket.open(address, count: loops.count)
        let shares = zip(loops.all, descriptors).map {
            LoopServer(listening: $1, file: file, tls: identity, on: $0, limits: limits, handler: handler)
        }
        state.withLock {
            $0.port = bound.port
            $0.identity = identity
            $0.shares = shares
        }
        logger.debug("listening", metadata: ["address": "\(bound)"])
    }

    /// Serves until drained or cancelled. Cancelling cuts every connection; `beginDrain` is the polite way.
    package func run() async throws {
        try bind()
        let (shares, draining) = state.withLock {
            $0.isRunning = true
            return ($0.shares, $0.isDraining)
        }
        if let draining { beginDrain(within: draining) }
        try await withTaskCancellationHandler {
            try await withThrowingDiscardingTaskGroup { group in
                for share in shares {
                    group.addTask(executorPreference: share.loop) { try await share.serve() }
                }
            }
        } onCancel: {
            for share in shares { share.loop.post { share.cut() } }
        }
        logger.debug("served", metadata: ["address": "\(address)", "requests": "\(statistics.requests)"])
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
}
