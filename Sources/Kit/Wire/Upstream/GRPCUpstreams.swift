// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A unary call's good answer.
package struct GRPCReply: Sendable {
    package var message: ArraySlice<UInt8>
    /// What came before the message.
    package var metadata: WireHeaders
    /// What came after it, `grpc-status` included.
    package var trailers: WireHeaders
}

/// Calls gRPC servers over HTTP/2, with connections that are kept.
///
/// Connections belong to a loop and an address. Called on a loop, as from a `WireHandler`, everything happens on that loop's
/// thread; called from elsewhere, the call is made on one of the loops in turn.
package final class GRPCUpstreams: Sendable {
    private let loops: WireLoops
    private let pools: [UpstreamPool]

    package init(loops: WireLoops, limits: UpstreamLimits = UpstreamLimits()) {
        self.loops = loops
        pools = loops.all.map { UpstreamPool(on: $0, limits: limits) }
    }

    deinit { closeAll() }

    /// Sends one message and waits for one, until `deadline`, which the peer is told. Cancelling the task resets the stream.
    ///
    /// Only `UpstreamError.notSent` promises that the peer has not acted.
    package func unary(
        to address: SocketAddress, path: String, metadata: WireHeaders = [:], message: ArraySlice<UInt8>,
        deadline: ContinuousClock.Instant
    ) async throws(UpstreamError) -> GRPCReply {
        let call = UpstreamCall(path: path, metadata: metadata, message: message, deadline: deadline)
        if let loop = loops.current { return try await pools[loop.index].send(call, to: address).get() }
        let loop = loops.next()
        let pool = pools[loop.index]
        let result = await withTaskExecutorPreference(loop) { await pool.send(call, to: address) }
        return try result.get()
    }

    /// The same for a message in an array.
    package func unary(
        to address: SocketAddress, path: String, metadata: WireHeaders = [:], message: [UInt8], deadline: ContinuousClock.Instant
    ) async throws(UpstreamError) -> GRPCReply {
        try await unary(to: address, path: path, metadata: metadata, message: message[...], deadline: deadline)
    }

    /// What all loops do together.
    package var statistics: UpstreamStatistics {
        var sum = UpstreamStatistics()
        for pool in pools { pool.counters.add(to: &sum) }
        return sum
    }

    /// Closes every connection; calls under way fail.
    package func closeAll() {
        for pool in pools { pool.loop.post { pool.closeAll() } }
    }
}
