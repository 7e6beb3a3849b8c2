// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Something that wants to be told when its time has come: at most one appointment each.
///
/// Subclassed by what lives on a loop (a connection, an exchange, a call), so that an appointment costs no allocation.
class LoopTimer {
    /// When to fire, in nanoseconds of the loop's clock; nil when nothing is planned.
    fileprivate(set) var deadline: Int64?
    fileprivate var slot = -1
    fileprivate var next: LoopTimer?
    fileprivate unowned(unsafe) var previous: LoopTimer?

    /// Called on the loop's thread, once per appointment. What needs timers overrides it.
    func timeIsUp() {}
}

/// A hashed wheel of appointments: planning, moving and cancelling cost a few nanoseconds, however many there are.
///
/// Fires up to one tick (10 ms) late, never early. Belongs to one thread.
struct TimerWheel {
    static let tick: Int64 = 10_000_000
    private static let slots = 512

    private var heads = [LoopTimer?](repeating: nil, count: TimerWheel.slots)
    private var planned = 0
    /// The tick that is looked at next.
    private var hand: Int64 = 0

    init(at now: Int64) { hand = now / Self.tick }

    /// Plans (or moves) the timer. Moving to a later time only notes it: the wheel looks again when the old time comes,
    /// so that a connection may push its idle deadline back with every request for nothing.
    mutating func plan(_ timer: LoopTimer, at deadline: Int64) {
        if timer.slot >= 0, let old = timer.deadline, deadline >= old {
            timer.deadline = deadline
            return
        }
        unlink(timer)
        timer.deadline = deadline
        link(timer)
    }

    /// Forgets the timer, if it was planned.
    mutating func cancel(_ timer: LoopTimer) {
        unlink(timer)
        timer.deadline = nil
    }

    /// Fires everything that is due. Timers may plan and cancel (themselves too) while they fire.
    mutating func due(at now: Int64) -> [LoopTimer] {
        let current = now / Self.tick
        guard planned > 0 else {
            hand = current
            return []
        }
        var due: [LoopTimer] = []
        let last = min(current, hand + Int64(Self.slots))
        while hand < last {
            collect(slot: Int(hand % Int64(Self.slots)), now: now, into: &due)
            hand += 1
        }
        hand = max(hand, current)
        return due
    }

    /// Milliseconds until the next look is worthwhile; -1 when nothing is planned.
    func wait(from now: Int64) -> Int32 {
        guard planned > 0 else { return -1 }
        for step in 0..<Int64(Self.slots) where heads[Int((hand + step) % Int64(Self.slots))] != nil {
            let at = (hand + step + 1) * Self.tick
            return Int32(max(0, at - now + 999_999) / 1_000_000)
        }
        return -1
    }

    private mutating func collect(slot: Int, now: Int64, into due: inout [LoopTimer]) {
        var cursor = heads[slot]
        while let timer = cursor {
            cursor = timer.next
            guard let deadline = timer.deadline else { continue }
            if deadline <= now {
                unlink(timer)
                timer.deadline = nil
                due.append(timer)
            } else if Int(deadline / Self.tick % Int64(Self.slots)) != slot {
                unlink(timer)
                link(timer)
            }
        }
    }

    private mutating func link(_ timer: LoopTimer) {
        guard let deadline = timer.deadline else { return }
        // A time already past goes under the hand, where the next look finds it.
        let slot = Int(max(deadline / Self.tick, hand) % Int64(Self.slots))
        timer.slot = slot
        timer.next = heads[slot]
        timer.previous = nil
        heads[slot]?.previous = timer
        heads[slot] = timer
        planned += 1
    }

    private mutating func unlink(_ timer: LoopTimer) {
        guard timer.slot >= 0 else { return }
        if let previous = timer.previous { previous.next = timer.next } else { heads[timer.slot] = timer.next }
        timer.next?.previous = timer.previous
        timer.next = nil
        timer.previous = nil
        timer.slot = -1
        planned -= 1
    }
}
