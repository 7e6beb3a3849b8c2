// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// A count that only grows, and that a test can wait for.
package final class Tally: Sendable {
    private struct State {
        var count = 0
        var nextID = 0
        var waiting: [Int: (goal: Int, caller: CheckedContinuation<Bool, Never>)] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var count: Int { state.withLock { $0.count } }

    /// Counts one more and wakes whoever waited for that.
    package func add() {
        let reached = state.withLock { state in
            state.count += 1
            let done = state.waiting.filter { $0.value.goal <= state.count }
            for id in done.keys { state.waiting[id] = nil }
            return done.values.map(\.caller)
        }
        for caller in reached { caller.resume(returning: true) }
    }

    /// Waits until the count is at least `goal`; throws when that takes longer than `limit`.
    package func reaches(_ goal: Int, within limit: Duration = .seconds(20)) async throws {
        let reached = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.wait(for: goal) }
            group.addTask {
                // A cancelled sleep means that the count won the race.
                try? await Task.sleep(for: limit)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        guard reached else { throw LoopbackError("wanted a count of \(goal) within \(limit), found \(count)") }
    }

    private func wait(for goal: Int) async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                let known: Bool? = state.withLock { state in
                    if state.count >= goal { return true }
                    if Task.isCancelled { return false }
                    state.waiting[id] = (goal, caller)
                    return nil
                }
                if let known { caller.resume(returning: known) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.caller.resume(returning: false)
        }
    }
}

/// Why the scripted server or its scenario is not content.
package struct LoopbackError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
