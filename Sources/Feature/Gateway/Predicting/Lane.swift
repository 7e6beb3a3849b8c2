// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// Things on their way from those who put them to the one task that takes them. Whoever puts sees to a bound.
final class Lane<Element: Sendable>: Sendable {
    private struct State {
        var waiting: [Element] = []
        var sleeper: CheckedContinuation<Void, Never>?
        var isOver = false
    }

    private let state = Mutex(State())

    /// Never waits; false once nobody takes any more.
    func put(_ element: Element) -> Bool {
        let (isOpen, sleeper) = state.withLock { state in
            guard !state.isOver else { return (false, nil as CheckedContinuation<Void, Never>?) }
            state.waiting.append(element)
            return (true, state.sleeper.take())
        }
        sleeper?.resume()
        return isOpen
    }

    /// All that wait, once there are some; nil when the task has been cancelled and none are left.
    func next() async -> [Element]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.waiting.isEmpty || state.isOver { return true }
                    state.sleeper = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                state.isOver = true
                return state.sleeper.take()
            }?.resume()
        }
        return state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            let elements = state.waiting
            state.waiting.removeAll(keepingCapacity: true)
            return elements
        }
    }
}
