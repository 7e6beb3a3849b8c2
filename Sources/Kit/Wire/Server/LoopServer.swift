// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc
import Synchronization

/// A server's share of one loop: a listening socket, its connections, and the task group that runs their handlers.
final class LoopServer: Pollable, @unchecked Sendable {
    // SAFETY: apart from `counters` (atomics) and constants, everything is touched on the loop's thread: `serve` runs as a
    // task that prefers the loop, and other threads come in through `loop.post`.
    private enum Phase { case serving, draining, over }

    let loop: WireLoop
    let limits: WireLimits
    let counters = ServerCounters()
    let handler: any WireHandler
    private let listener: ByteChannel
    private let file: SocketFile?
    private let door: TLSDoor?
    private var seat: WireLoop.SeatNumber?
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var arrivals: [Exchange] = []
    private var starting: [Exchange] = []
    private var resting: [HandlerWorker] = []
    private var arrival: UnsafeContinuation<Void, Never>?
    private var phase = Phase.serving
    private let alarm = Alarm()
    private var isListening = true
    /// Bytes of requests until they are over, and of answers until they have left.
    private(set) var held = 0

    /// Takes over a descriptor that listens.
    init(
        listening descriptor: Int32, file: SocketFile?, tls identity: TLSIdentity?, on loop: WireLoop, limits: WireLimits,
        handler: any WireHandler
    ) {
        listener = ByteChannel(descriptor: descriptor)
        self.file = file
        door = identity.map { [counters] in TLSDoor($0, counters: counters) }
        self.handler = handler
        self.loop = loop
        self.limits = limits
    }

    deinit {
        // Prepared, and never run.
        if isListening { listener.close() }
    }

    /// Counts bytes that are kept (or, below zero, let go of); false when they are too many.
    func hold(_ count: Int) -> Bool {
        held += count
        return held <= limits.heldBytes
    }

    /// Serves until drained. Runs on the loop.
    ///
    /// Sockets are heard between tasks, so a request cannot start its own: it is put down in `arrivals`, and this task, which
    /// owns the group, starts all of a turn's arrivals at once, if no worker of the group rests. It is one more job per turn on the
    /// same thread, without a lock or a switch, and every handler's task is a child of `run`.
    func serve() async throws(WireError) {
        loop.assertCurrent()
        if phase == .serving { seat = try loop.watch(listener.descriptor, for: EPOLLIN.rawValue, by: self) }
        await withDiscardingTaskGroup { group in
            while phase != .over {
                await nextArrivals()
                swap(&arrivals, &starting)
                for exchange in starting {
                    let worker = HandlerWorker(of: self, for: exchange)
                    group.addTask { await worker.run() }
                }
                starting.removeAll(keepingCapacity: true)
            }
        }
    }

    private func nextArrivals() async {
        guard arrivals.isEmpty, phase != .over else { return }
        // Unsafe only in that forgetting to resume goes unnoticed; `wakeUp` is the one place, and this is on the path of every turn.
        await withUnsafeContinuation { arrival = $0 }
    }

    private func wakeUp() {
        arrival?.resume()
        arrival = nil
    }

    /// Whether another request may begin.
    var hasRoom: Bool { counters.requestsInFlight.load(ordering: .relaxed) < limits.requests }

    func refusal(_ fault: HTTPFault, path: String) -> WireResponse {
        handler.refusal(status: fault.status, reason: fault.reason, path: path)
    }

    /// Takes a worker that has nothing to do; false when it should end.
    func rest(_ worker: HandlerWorker) -> Bool {
        guard phase != .over, resting.count < HandlerWorker.most else { return false }
        resting.append(worker)
        return true
    }

    func dispatch(_ exchange: Exchange) {
        if let worker = resting.popLast() { return worker.wake(for: exchange) }
        arrivals.append(exchange)
        wakeUp()
    }

    // MARK: Connections

    func ready(_ events: UInt32) { acceptAll() }

    private func acceptAll() {
        var address = KernelAddress()
        while true {
            address = KernelAddress()
            let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let descriptor = address.withMutablePointer { accept4(listener.descriptor, $0, &$1, flags) }
            if descriptor >= 0 {
                admit(descriptor, from: address)
            } else if errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS {
                return pauseAccepting()
            } else if errno != EINTR, errno != ECONNABORTED {
                return
            }
        }
    }

    private func admit(_ descriptor: Int32, from address: KernelAddress) {
        counters.connectionsAccepted.count()
        guard connections.count < limits.connections, let link = try? Link(descriptor, on: loop, connecting: false, door: door) else {
            // Refused, or epoll is full: the same to the caller, who may come again.
            counters.connectionsRejected.count()
            Glibc.close(descriptor)
            return
        }
        let connection = ServerConnection(link, of: self, peer: address.socketAddress.description)
        connections[ObjectIdentifier(connection)] = connection
        counters.connectionsOpen.count()
        connection.begin()
        if phase == .draining { connection.drain() }
    }

    /// Without descriptors the listener would be ready for ever; it rests for a tenth of a second.
    private func pauseAccepting() {
        guard let seat else { return }
        counters.connectionsRejected.count()
        loop.watch(listener.descriptor, for: 0, as: seat)
        alarm.action = { [unowned self] in
            if let seat = self.seat { loop.watch(listener.descriptor, for: EPOLLIN.rawValue, as: seat) }
        }
        loop.plan(alarm, after: 100_000_000)
    }

    func closed(_ connection: ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        counters.connectionsOpen.count(-1)
        endIfEmpty()
    }

    // MARK: Ending

    /// Stops accepting, lets idle connections ask once more during the grace, and cuts what is left at the deadline.
    func drain(within deadline: Duration) {
        guard phase == .serving else { return }
        phase = .draining
        // Who has been let in by the kernel already is served.
        if seat != nil { acceptAll() }
        closeListener()
        for connection in connections.values { connection.drain() }
        let grace = min(limits.drainGrace, deadline).wholeNanoseconds
        alarm.action = { [unowned self] in
            for connection in connections.values { connection.finishDraining() }
            alarm.action = { [unowned self] in cut() }
            loop.plan(alarm, after: max(0, deadline.wholeNanoseconds - grace))
        }
        loop.plan(alarm, after: grace)
        endIfEmpty()
    }

    /// Closes everything now; handlers that still run are cancelled.
    func cut() {
        if phase == .serving { closeListener() }
        if phase != .over { phase = .draining }
        for connection in connections.values { connection.close() }
        endIfEmpty()
    }

    private func closeListener() {
        if let seat { loop.forget(listener.descriptor, seat) }
        seat = nil
        isListening = false
        file?.remove()
        listener.close()
    }

    private func endIfEmpty() {
        guard phase == .draining, connections.isEmpty else { return }
        phase = .over
        loop.cancel(alarm)
        for worker in resting { worker.wake(for: nil) }
        resting = []
        wakeUp()
    }
}

/// A timer that runs a closure.
final class Alarm: LoopTimer {
    var action: () -> Void = {}

    override func timeIsUp() { action() }
}
