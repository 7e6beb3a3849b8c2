// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// When to look at each key again, by how the last look ended.
struct Schedule<Key: Hashable & Sendable>: Sendable {
    var backoff = Backoff()
    /// How often a settled object is looked at though nothing seems to have changed.
    var resync = Duration.seconds(3600)
    /// The shortest wait: a reconciler that always wants to come back at once must not spin.
    var shortest = Duration.milliseconds(50)
    private var failures: [Key: Int] = [:]

    /// The wait before the next look; nil for none until something changes.
    ///
    /// - Parameter draw: a random number from 0 up to 1.
    mutating func delay(for key: Key, after verdict: Verdict, draw: Double) -> Duration? {
        if case .failing = verdict {
            let count = (failures[key] ?? 0) + 1
            failures[key] = count
            return backoff.delay(after: count, draw: draw)
        }
        failures[key] = nil
        switch verdict {
        case .settled: return resync * (0.9 + 0.2 * draw)
        case .waiting(_, let retry): return max(retry, shortest)
        case .stalled, .failing: return nil
        }
    }

    /// How often the key failed in a row.
    func failures(of key: Key) -> Int { failures[key] ?? 0 }

    /// The object is gone.
    mutating func forget(_ key: Key) { failures[key] = nil }
}
