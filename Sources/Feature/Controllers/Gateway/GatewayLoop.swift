// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import KubeRuntime
import Logging
import ServiceLifecycle

/// Has the gateway looked at when one of its objects changes, and each minute, while leading.
///
/// Its own loop, since no object of ours stands for the gateway.
struct GatewayLoop: ServiceLifecycle.Service {
    static let period: Duration = .seconds(60)

    let keeper: GatewayKeeper
    let queue: WorkQueue<ObjectKey>
    let gate: Leadership?
    let sources: [any Synced]
    let logger: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                guard let gate else { return try await keep() }
                try await gate.whileLeading { try await keep() }
            }
        } catch is CancellationError {
            logger.debug("gateway loop stopped")
        }
    }

    private func keep() async throws {
        for source in sources { try await wait(for: source) }
        let backoff = Backoff()
        var failures = 0
        queue.add(GatewayDesired.key(keeper.settings))
        while let key = await queue.next() {
            let verdict = await look(key)
            if case .failing(let message) = verdict {
                failures += 1
                logger.warning("gateway not as wanted, will retry", metadata: ["error": "\(message)", "failures": "\(failures)"])
                queue.finish(key, again: backoff.delay(after: failures, draw: .random(in: 0..<1)))
            } else {
                failures = 0
                queue.finish(key, again: Self.period)
            }
        }
        try Task.checkCancellation()
    }

    /// A list that does not come is no reason to give up, only to say so.
    private func wait(for source: any Synced) async throws {
        while !source.hasSynced {
            do {
                try await source.waitUntilSynced(within: .seconds(30))
            } catch is DeadlineExceeded {
                logger.warning("gateway waits for a first list", metadata: ["source": "\(type(of: source))"])
            }
        }
    }

    private func look(_ key: ObjectKey) async -> Verdict {
        do { return try await keeper.reconcile(key) } catch { return .failing(message: "\(error)") }
    }
}
