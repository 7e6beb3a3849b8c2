// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import Synchronization

/// Lets tasks wait until something has happened since they last looked.
///
/// Read `count`, look at the state, then wait for a ring since that count: no ring in between is missed.
final class Bell: Sendable {
    private struct State {
        var count = 0
        var nextID = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    /// Wakes everybody who waits.
    func ring() {
        let woken = state.withLock { state in
            state.count += 1
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns once the bell has rung since `mark`, or the task is cancelled.
    func wait(since mark: Int) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state in
                    if state.count > mark || Task.isCancelled { return true }
                    state.waiting[id] = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }

    /// Returns once the bell has rung since `mark`, `deadline` has come, or the task is cancelled.
    func wait(since mark: Int, until deadline: Duration?, on timeline: any Timeline) async {
        guard let deadline else { return await wait(since: mark) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(since: mark) }
            group.addTask { try? await timeline.sleep(until: deadline) }  // a cancelled sleep means that the bell rang
            await group.next()
            group.cancelAll()
        }
    }
}
