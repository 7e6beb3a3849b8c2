// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc
import Synchronization

/// Something with a file descriptor that a loop watches.
protocol Pollable: AnyObject {
    /// The descriptor is ready; `events` are epoll's.
    func ready(_ events: UInt32)
}

/// Something with output that waits to be written, once the loop has heard everybody.
protocol Flushable: AnyObject {
    func flush()
}

/// One thread with epoll: it waits for sockets, and runs the Swift tasks that prefer it.
///
/// One turn: wait, hear sockets, fire timers, run jobs, write. Output of a whole turn leaves in one write per connection.
package final class WireLoop: TaskExecutor, @unchecked Sendable {
    // SAFETY: other threads reach only `index`, `mail` (a lock), `bell` (a descriptor that lives as long as the loop) and
    // `thread` (an atomic). Everything else is touched on the loop's own thread, which `assertCurrent` checks in debug builds.
    let index: Int
    private let poll: Int32
    private let bell: Int32
    private let thread = Atomic<UInt>(0)
    private let mail = Mutex(Mail())

    /// Nanoseconds since the loop began, as of this turn.
    private(set) var now: Int64 = 0
    private let birth = ContinuousClock.now
    private var wheel = TimerWheel(at: 0)
    private var jobs: [UnownedJob] = []
    private var jobsAtHand: [UnownedJob] = []
    private var unflushed: [any Flushable] = []
    private var seats: [Seat] = []
    private var freeSeats: [Int] = []
    private var stopped = false
    /// Where every socket of the loop is read into; what is kept is copied out before the next read.
    let inbox = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65_536)
    /// Where the pieces of a write are named.
    let vectors = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 64)
    let date = HTTPDate()
    /// Memory for output, which connections have only while they write.
    private var outboxes: [Outbox] = []

    private struct Mail {
        var jobs: [UnownedJob] = []
        var errands: [@Sendable () -> Void] = []
        var isStopping = false
    }

    private struct Seat {
        var pollable: (any Pollable)?
        var generation: UInt32 = 0
    }

    /// Names a place in the loop's watch list; out of date once given up, so that a late event finds nobody.
    struct SeatNumber {
        fileprivate var index: Int
        fileprivate var generation: UInt32
        fileprivate var word: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: index)) }
    }

    init(index: Int) throws(WireError) {
        self.index = index
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard poll >= 0, bell >= 0 else { throw .system("event loop", errno) }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = UInt64.max
        guard epoll_ctl(poll, EPOLL_CTL_ADD, bell, &event) == 0 else { throw .system("event loop", errno) }
    }

    deinit {
        close(poll)
        close(bell)
        inbox.deallocate()
        vectors.deallocate()
    }

    /// Starts the thread. It ends after `stop`.
    func start() throws(WireError) {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                let loop = Unmanaged<WireLoop>.fromOpaque(context).takeRetainedValue()
                pthread_setname_np(pthread_self(), "wire-\(loop.index)")
                loop.thread.store(UInt(pthread_self()), ordering: .releasing)
                loop.turn()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw .system("thread", code)
        }
        pthread_detach(handle)
    }

    /// Ends the thread after its present turn.
    func stop() {
        mail.withLock { $0.isStopping = true }
        ring()
    }

    // MARK: Other threads

    /// Whether the caller runs on this loop's thread.
    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    func assertCurrent() { assert(isCurrent, "loop \(index) touched from another thread") }

    /// Runs a Swift job on this loop; from the loop itself without a lock.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        let first = mail.withLock { mail in
            mail.jobs.append(job)
            return mail.jobs.count + mail.errands.count == 1
        }
        if first { ring() }
    }

    /// Runs a closure on the loop's thread, later, never inside the caller.
    func post(_ errand: @escaping @Sendable () -> Void) {
        let first = mail.withLock { mail in
            mail.errands.append(errand)
            return mail.jobs.count + mail.errands.count == 1
        }
        if first { ring() }
    }

    private func ring() {
        var one: UInt64 = 1
        // A full counter (EAGAIN) has rung already.
        _ = write(bell, &one, 8)
    }

    // MARK: Watching

    /// Watches a descriptor. The loop holds the pollable until `forget`.
    func watch(_ descriptor: Int32, for events: UInt32, by pollable: any Pollable) throws(WireError) -> SeatNumber {
        assertCurrent()
        let index = freeSeats.popLast() ?? seats.count
        if index == seats.count { seats.append(Seat()) }
        seats[index].pollable = pollable
        let seat = SeatNumber(index: index, generation: seats[index].generation)
        var event = epoll_event()
        event.events = events
        event.data.u64 = seat.word
        guard epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            let code = errno
            giveUp(seat)
            throw .system("watch", code)
        }
        return seat
    }

    func watch(_ descriptor: Int32, for events: UInt32, as seat: SeatNumber) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = seat.word
        epoll_ctl(poll, EPOLL_CTL_MOD, descriptor, &event)
    }

    /// Stops watching; to be called before the descriptor is closed.
    func forget(_ descriptor: Int32, _ seat: SeatNumber) {
        epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil)
        giveUp(seat)
    }

    private func giveUp(_ seat: SeatNumber) {
        seats[seat.index].pollable = nil
        seats[seat.index].generation &+= 1
        freeSeats.append(seat.index)
    }

    /// Has `flush` called at the end of this turn.
    func flushLater(_ flushable: any Flushable) { unflushed.append(flushable) }

    /// An empty outbox, warm from the last who had it.
    func lendOutbox() -> Outbox { outboxes.popLast() ?? Outbox() }

    /// Takes an outbox back; large ones, and more than a few, are let go.
    func takeBack(_ outbox: inout Outbox) {
        outbox.removeAll(keepingCapacity: true)
        if outboxes.count < 16, outbox.hasRoom(for: 1), !outbox.hasRoom(for: 262_144) { outboxes.append(outbox) }
        outbox = Outbox()
    }

    // MARK: Time

    func plan(_ timer: LoopTimer, after delay: Int64) { wheel.plan(timer, at: now + delay) }

    func plan(_ timer: LoopTimer, at time: Int64) { wheel.plan(timer, at: time) }

    func cancel(_ timer: LoopTimer) { wheel.cancel(timer) }

    /// The program's clock at this turn.
    var instant: ContinuousClock.Instant { birth.advanced(by: .nanoseconds(now)) }

    /// The loop's time of an instant of the program's clock.
    func time(of instant: ContinuousClock.Instant) -> Int64 { (instant - birth).wholeNanoseconds }

    // MARK: The turn

    private func turn() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while !stopped {
            let isIdle = jobs.isEmpty && unflushed.isEmpty
            let count = epoll_wait(poll, &events, 256, isIdle ? wheel.wait(from: now) : 0)
            now = (ContinuousClock.now - birth).wholeNanoseconds
            // An interrupted wait (-1) heard nothing.
            for i in 0..<max(0, Int(count)) { hear(events[i]) }
            // One that an earlier one has planned anew is not due any more.
            for timer in wheel.due(at: now) where timer.deadline == nil { timer.timeIsUp() }
            runJobs()
            writeOut()
        }
    }

    private func hear(_ event: epoll_event) {
        let word = event.data.u64
        if word == UInt64.max { return readMail() }
        let index = Int(word & 0xFFFF_FFFF)
        guard index < seats.count, seats[index].generation == UInt32(word >> 32) else { return }
        seats[index].pollable?.ready(event.events)
    }

    private func readMail() {
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
        let letters = mail.withLock { mail in
            let letters = mail
            mail.jobs = []
            mail.errands = []
            return letters
        }
        stopped = letters.isStopping
        jobs.append(contentsOf: letters.jobs)
        for errand in letters.errands { errand() }
    }

    /// Runs what is ready, and what that makes ready; after some rounds sockets get their turn.
    private func runJobs() {
        let executor = asUnownedTaskExecutor()
        var rounds = 0
        while !jobs.isEmpty, rounds < 16 {
            swap(&jobs, &jobsAtHand)
            for job in jobsAtHand { job.runSynchronously(on: executor) }
            jobsAtHand.removeAll(keepingCapacity: true)
            rounds += 1
        }
    }

    private func writeOut() {
        guard !unflushed.isEmpty else { return }
        let ready = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for flushable in ready { flushable.flush() }
    }
}

extension Duration {
    /// Nanoseconds, saturated: some 292 years either way.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, tooMuch) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return tooMuch ? (seconds < 0 ? .min : .max) : sum
    }
}
