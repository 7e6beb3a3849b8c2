// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging
import Protos
import ServiceLifecycle
package import Wire

/// Brings a tap's records to whoever listens at an address, for as long as everything else runs.
///
/// On a graceful shutdown what is in the buffer is still sent, within a second. List it before the fronts, so that it is stopped after them.
package struct TapService: ServiceLifecycle.Service {
    private static let lastWords: Duration = .seconds(1)

    private let tap: Tap
    private let listener: TapUpstream
    private let instance: String
    private let logger: Logger

    /// - Parameter upstreams: on a loop that serves no predictions: batches are copied there.
    package init(_ tap: Tap, to address: SocketAddress, over upstreams: GRPCUpstreams, logger: Logger) {
        self.tap = tap
        listener = TapUpstream(address: address, upstreams: upstreams)
        var random = SystemRandomNumberGenerator()
        instance = String(random.next(), radix: 16) + String(random.next(), radix: 16)
        self.logger = logger
    }

    package func run() async throws {
        var drain = TapDrain(tap, to: listener, instance: instance, logger: logger)
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let rest = await drain.step()
            if rest > .zero { await sleep(rest) }
        }
        let end = ContinuousClock.now + Self.lastWords
        while tap.isConnected, tap.waiting + drain.inFlight > 0, .now < end, !Task.isCancelled { _ = await drain.step() }
    }

    private func sleep(_ rest: Duration) async {
        // Being cut short means that it is time to go, which the loop looks for itself.
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: rest) }
    }
}

/// A listener that speaks gRPC.
struct TapUpstream: TapListener {
    let address: SocketAddress
    let upstreams: GRPCUpstreams

    func ingest(_ batch: [UInt8], within patience: Duration) async throws(UpstreamError) {
        _ = try await upstreams.unary(to: address, path: TapMessages.path, message: batch, deadline: .now + patience)
    }
}
