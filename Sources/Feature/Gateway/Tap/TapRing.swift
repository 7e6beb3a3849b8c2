// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// A bounded queue that many threads push to and one takes from, without a lock. (Dmitry Vyukov's bounded queue)
///
/// A push costs one compare-exchange on a word that loops share, again when another loop was first; it never waits for anybody.
final class TapRing: @unchecked Sendable {
    // SAFETY: a cell's `record` is written by the one producer whose compare-exchange took the ticket, before it releases `turn`, and
    // is read by the one consumer after it has acquired `turn`. `head` belongs to the consumer: `pop` is called by one task.
    private struct Cell: ~Copyable {
        /// The ticket that may write here; one more once it is written; the next round's ticket once it is read.
        let turn: Atomic<Int>
        var record: Unmanaged<TapRecord>?
    }

    let capacity: Int
    private let cells: UnsafeMutablePointer<Cell>
    private let tail = Atomic<Int>(0)
    private let passed = Atomic<Int>(0)
    private var head = 0

    /// - Parameter capacity: at least 2: with one cell, a written turn and the next round's look alike.
    init(capacity: Int) {
        self.capacity = max(2, capacity)
        cells = .allocate(capacity: self.capacity)
        for place in 0..<self.capacity { (cells + place).initialize(to: Cell(turn: Atomic(place), record: nil)) }
    }

    deinit {
        while pop() != nil {}
        cells.deinitialize(count: capacity)
        cells.deallocate()
    }

    /// How many are inside, or about to be.
    var count: Int { max(0, tail.load(ordering: .relaxed) - taken) }

    /// How many have been taken out since the beginning.
    var taken: Int { passed.load(ordering: .relaxed) }

    /// False when there is no room.
    func push(_ record: TapRecord) -> Bool {
        var ticket = tail.load(ordering: .relaxed)
        while true {
            let cell = cells + ticket % capacity
            let lead = cell.pointee.turn.load(ordering: .acquiring) - ticket
            if lead == 0 {
                let (isOurs, found) = tail.weakCompareExchange(expected: ticket, desired: ticket + 1, ordering: .relaxed)
                if isOurs {
                    cell.pointee.record = .passRetained(record)
                    cell.pointee.turn.store(ticket + 1, ordering: .releasing)
                    return true
                }
                ticket = found
            } else if lead < 0 {
                return false
            } else {
                ticket = tail.load(ordering: .relaxed)
            }
        }
    }

    /// The oldest; nil where there is none, or where it is still being written.
    func pop() -> TapRecord? {
        let cell = cells + head % capacity
        guard cell.pointee.turn.load(ordering: .acquiring) == head + 1 else { return nil }
        let record = cell.pointee.record?.takeRetainedValue()
        cell.pointee.record = nil
        cell.pointee.turn.store(head + capacity, ordering: .releasing)
        head += 1
        passed.store(head, ordering: .relaxed)
        return record
    }
}
