// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Keys in order of the time they are due: a binary heap whose outdated entries are passed over.
struct DueHeap<Key: Hashable & Sendable>: Sendable {
    private struct Entry { var due: Duration, key: Key }
    private var entries: [Entry] = []
    /// The one time that counts for each key.
    private var dues: [Key: Duration] = [:]

    var count: Int { dues.count }
    subscript(key: Key) -> Duration? { dues[key] }

    /// Makes the key due at that time and no other.
    mutating func set(_ key: Key, due: Duration) {
        dues[key] = due
        entries.append(Entry(due: due, key: key))
        siftUp(entries.count - 1)
        if entries.count > 2 * dues.count + 64 { rebuild() }
    }

    mutating func remove(_ key: Key) { dues[key] = nil }

    /// The time of the first key.
    mutating func first() -> Duration? {
        while let top = entries.first {
            if dues[top.key] == top.due { return top.due }
            removeTop()
        }
        return nil
    }

    /// Takes the first key out if it is due.
    mutating func pop(by now: Duration) -> Key? {
        guard let due = first(), due <= now, let key = entries.first?.key else { return nil }
        removeTop()
        dues[key] = nil
        return key
    }

    private mutating func rebuild() {
        entries = dues.map { Entry(due: $0.value, key: $0.key) }.sorted { $0.due < $1.due }
    }

    private mutating func removeTop() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < entries.count }
            guard let least = children.min(by: { entries[$0].due < entries[$1].due }), entries[least].due < entries[parent].due
            else { return }
            entries.swapAt(least, parent)
            parent = least
        }
    }

    private mutating func siftUp(_ position: Int) {
        var child = position
        while child > 0, entries[child].due < entries[(child - 1) / 2].due {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }
}
