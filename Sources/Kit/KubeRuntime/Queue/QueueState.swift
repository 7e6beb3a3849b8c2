// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Which keys want a worker, now or later, and which have one.
///
/// A key is in one place only: waiting (in order of arrival), due later, or running. One that is added while it
/// runs runs once more afterwards, never twice at once. The number of keys in all is bounded.
package struct QueueState<Key: Hashable & Sendable>: Sendable {
    /// What adding a key came to.
    package enum Outcome: Equatable, Sendable {
        /// It waits: wake a worker.
        case queued
        /// It is due later: look at `nextDue` again.
        case later
        /// It waits, is due, or will run again anyway.
        case merged
        /// There was no room. Counted; `takeOverflow` tells once.
        case dropped
    }

    private let capacity: Int
    private var waiting: [Key] = []
    /// How many at the front of `waiting` are taken already.
    private var head = 0
    private var isWaiting: Set<Key> = []
    private var delayed = DueHeap<Key>()
    private var running: Set<Key> = []
    private var again: Set<Key> = []
    private var againAt: [Key: Duration] = [:]
    private var hasOverflowed = false
    /// How many additions found no room.
    package private(set) var dropped = 0

    package init(capacity: Int) { self.capacity = capacity }

    /// Keys that wait for a worker now.
    package var waitingCount: Int { isWaiting.count }
    /// Keys that are due later.
    package var delayedCount: Int { delayed.count }
    package var runningCount: Int { running.count }
    package var count: Int { waitingCount + delayedCount + runningCount }

    /// The key wants a worker now.
    package mutating func add(_ key: Key) -> Outcome {
        if running.contains(key) {
            again.insert(key)
            return .merged
        }
        if isWaiting.contains(key) { return .merged }
        guard delayed[key] != nil || hasRoom() else { return .dropped }
        delayed.remove(key)
        enqueue(key)
        return .queued
    }

    /// The key wants a worker at `due`, or earlier if it is due earlier already.
    package mutating func add(_ key: Key, at due: Duration) -> Outcome {
        if running.contains(key) {
            againAt[key] = min(due, againAt[key] ?? due)
            return .merged
        }
        if isWaiting.contains(key) { return .merged }
        if let earlier = delayed[key], earlier <= due { return .merged }
        guard delayed[key] != nil || hasRoom() else { return .dropped }
        delayed.set(key, due: due)
        return .later
    }

    /// The next key for a worker, which must `finish` it; nil if none waits.
    package mutating func take(now: Duration) -> Key? {
        while let key = delayed.pop(by: now) { enqueue(key) }
        guard head < waiting.count else { return nil }
        let key = waiting[head]
        head += 1
        if head > 64, head * 2 > waiting.count {
            waiting.removeFirst(head)
            head = 0
        }
        isWaiting.remove(key)
        running.insert(key)
        return key
    }

    /// The worker is done with the key. It comes back now if it was added meanwhile, else at `due`, if at all.
    package mutating func finish(_ key: Key, again due: Duration?) -> Outcome {
        precondition(running.remove(key) != nil, "finished \(key), which was not running")
        let asked = againAt.removeValue(forKey: key)
        if again.remove(key) != nil {
            enqueue(key)
            return .queued
        }
        guard let due = [due, asked].compactMap({ $0 }).min() else { return .merged }
        delayed.set(key, due: due)
        return .later
    }

    /// When the next key becomes due.
    package mutating func nextDue() -> Duration? { delayed.first() }

    /// Whether keys were dropped and there is room again; the caller who is told must add all keys anew.
    package mutating func takeOverflow() -> Bool {
        guard hasOverflowed, count <= capacity / 2 else { return false }
        hasOverflowed = false
        return true
    }

    private mutating func enqueue(_ key: Key) {
        waiting.append(key)
        isWaiting.insert(key)
    }

    private mutating func hasRoom() -> Bool {
        if count < capacity { return true }
        dropped += 1
        hasOverflowed = true
        return false
    }
}
