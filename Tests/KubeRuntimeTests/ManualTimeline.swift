// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import KubeRuntime
import Synchronization

/// Time that passes when a test says so.
final class ManualTimeline: Timeline {
    private struct State {
        var now = Duration.zero
        var nextID = 0
        var sleepers: [Int: (deadline: Duration, sleeper: CheckedContinuation<Void, any Error>)] = [:]
        var watchers: [CheckedContinuation<Bool, Never>] = []
    }

    private let state = Mutex(State())

    var now: Duration { state.withLock { $0.now } }
    var wall: Timestamp { Timestamp(seconds: 1_700_000_000) + now }

    /// Lets time pass and wakes whoever slept until then.
    func advance(by step: Duration) {
        let woken = state.withLock { state in
            state.now += step
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.sleeper)
        }
        for sleeper in woken { sleeper.resume() }
    }

    /// Returns once somebody sleeps until exactly that time.
    func someoneSleeps(until deadline: Duration) async { await someoneSleeps(until: deadline...deadline) }

    /// Returns once somebody sleeps until one of those times.
    func someoneSleeps(until deadlines: ClosedRange<Duration>) async {
        while true {
            let isThere = await withCheckedContinuation { watcher in
                let isThere = state.withLock { state in
                    if state.sleepers.values.contains(where: { deadlines.contains($0.deadline) }) { return true }
                    state.watchers.append(watcher)
                    return false
                }
                if isThere { watcher.resume(returning: true) }
            }
            if isThere { return }
        }
    }

    func sleep(until deadline: Duration) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (sleeper: CheckedContinuation<Void, any Error>) in
                let (outcome, watchers): (Result<Void, any Error>?, [CheckedContinuation<Bool, Never>]) = state.withLock { state in
                    if Task.isCancelled { return (.failure(CancellationError()), []) }
                    if state.now >= deadline { return (.success(()), []) }
                    state.sleepers[id] = (deadline, sleeper)
                    defer { state.watchers = [] }
                    return (nil, state.watchers)
                }
                if let outcome { sleeper.resume(with: outcome) }
                for watcher in watchers { watcher.resume(returning: false) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.sleeper.resume(throwing: CancellationError())
        }
    }
}
