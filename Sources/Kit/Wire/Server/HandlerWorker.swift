// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A task that runs handlers one after another: waking one costs a fraction of starting one, and it keeps its memory.
final class HandlerWorker: @unchecked Sendable {
    // SAFETY: touched on the loop's thread only: its task prefers that loop, and `LoopServer` runs there.
    private unowned let server: LoopServer
    private var next: Exchange?
    private var pause: UnsafeContinuation<Void, Never>?

    /// How many of a loop rest when there is nothing to do; more end.
    static let most = 256

    init(of server: LoopServer, for first: Exchange) {
        self.server = server
        next = first
    }

    /// The life of the task: until nobody wants it any more, or until an exchange was cancelled, for a task is cancelled for good.
    func run() async {
        while next != nil {
            await runNext()
            guard !Task.isCancelled, server.rest(self) else { return }
            // Unsafe only in that forgetting to resume goes unnoticed: who takes the worker from those that rest wakes it.
            await withUnsafeContinuation { pause = $0 }
        }
    }

    /// Goes on with another exchange, or ends.
    func wake(for exchange: Exchange?) {
        next = exchange
        pause?.resume()
        pause = nil
    }

    /// A function of its own, so that a worker that rests holds no exchange.
    private func runNext() async {
        guard let exchange = next else { return }
        next = nil
        await exchange.run(server.handler)
    }
}
