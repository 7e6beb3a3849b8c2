// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
package import KubeCore

/// Time as this room sees it, so that tests can make it pass.
package protocol Timeline: Sendable {
    /// Since some start; only grows, also while the machine sleeps.
    var now: Duration { get }
    /// What the calendar says: for what people read, never for decisions.
    var wall: Timestamp { get }
    /// Returns when `now` is `deadline` or later; throws when the task is cancelled.
    func sleep(until deadline: Duration) async throws
}

/// The machine's own time.
package struct SystemTimeline: Timeline {
    private let start = ContinuousClock.now

    package init() {}

    package var now: Duration { ContinuousClock.now - start }

    package var wall: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package func sleep(until deadline: Duration) async throws {
        try await ContinuousClock().sleep(until: start + deadline)
    }
}

/// Work that was cut off at its deadline.
package struct DeadlineExceeded: Error, Equatable, CustomStringConvertible {
    package var after: Duration
    package var description: String { "wanted an end within \(after), found none" }
}

extension Timeline {
    /// Runs the body and cancels it when `limit` has passed; returns only once the body has ended.
    func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let deadline = now + limit
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            guard case .some(.some(let value)) = try await group.next() else { throw DeadlineExceeded(after: limit) }
            return value
        }
    }
}
