// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import Synchronization

/// Keys for workers: each once, never two workers on one, now or at a time to come.
package final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private let state: Mutex<QueueState<Key>>
    private let bell = Bell()
    private let timeline: any Timeline

    /// - Parameter capacity: distinct keys in all; what comes beyond is dropped, counted, and healed by a look at all keys.
    package init(capacity: Int = 100_000, timeline: any Timeline = SystemTimeline()) {
        state = Mutex(QueueState(capacity: capacity))
        self.timeline = timeline
    }

    /// The key wants a worker now.
    package func add(_ key: Key) { wake(after: state.withLock { $0.add(key) }) }

    /// The key wants a worker after a while, or earlier if it is due earlier already.
    package func add(_ key: Key, after delay: Duration) {
        let due = timeline.now + delay
        wake(after: state.withLock { $0.add(key, at: due) })
    }

    /// Waits for the next key, which the caller must `finish`; nil when the task is cancelled.
    package func next() async -> Key? {
        while !Task.isCancelled {
            let mark = bell.count
            let now = timeline.now
            let (key, due) = state.withLock { state in
                let key = state.take(now: now)
                return (key, key == nil ? state.nextDue() : nil)
            }
            if let key { return key }
            await bell.wait(since: mark, until: due, on: timeline)
        }
        return nil
    }

    /// Ends the work on a key that `next` gave; it comes back after `delay`, or at once if it was added meanwhile.
    package func finish(_ key: Key, again delay: Duration?) {
        let due = delay.map { timeline.now + $0 }
        wake(after: state.withLock { $0.finish(key, again: due) })
    }

    /// Whether keys were dropped and there is room again: then all keys must be added anew.
    package func takeOverflow() -> Bool { state.withLock { $0.takeOverflow() } }

    /// Keys that wait for a worker now; those due later do not count.
    package var depth: Int { state.withLock { $0.waitingCount } }
    /// How many additions found no room so far.
    package var dropped: Int { state.withLock { $0.dropped } }

    private func wake(after outcome: QueueState<Key>.Outcome) {
        switch outcome {
        case .queued, .later: bell.ring()
        case .merged, .dropped: break
        }
    }
}
