// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc

/// Who speaks over a link. All calls come on the loop's thread.
protocol LinkUser: AnyObject {
    /// An outgoing connection stands.
    func connected()
    /// Bytes came in; they are gone after the call.
    func received(_ bytes: UnsafeBufferPointer<UInt8>)
    /// The link can take output: add some while `outbox` is short of `Link.gulp`. False: the connection cannot go on.
    func produce(into outbox: inout Outbox) -> Bool
    /// All output has gone to the kernel.
    func drained()
    /// The other side finished sending, or the connection broke (`code` not zero). The user must close the link.
    func ended(_ code: Int32)
    /// Where encryption is wanted, the other side has begun without. Nothing is encrypted on this link, and nothing read yet.
    func spokePlainly()
}

extension LinkUser {
    func spokePlainly() { ended(EPROTO) }
}

/// A connected socket on a loop: reads, gathers output, writes what the kernel takes, and asks epoll for the rest.
final class Link: Pollable, Flushable {
    /// How much output is gathered for one write; four times that where it need not be copied.
    static let gulp = 65_536

    let loop: WireLoop
    private var channel: ByteChannel
    /// Where encryption is wanted: what makes it when the first byte has come, so that who says nothing costs nothing.
    private var door: TLSDoor?
    /// Set by the user itself, as soon as it exists; let go of on closing, which breaks the circle of references.
    var user: (any LinkUser)?
    private var seat: WireLoop.SeatNumber?
    private var interest: UInt32 = 0
    private var isQueued = false
    private(set) var isConnecting: Bool
    private(set) var isReading = true
    private(set) var isClosed = false
    var outbox = Outbox()
    /// Bytes that the kernel has taken since the beginning.
    private(set) var sent = 0
    private(set) var received = 0
    /// When bytes last moved either way, and when some last came in, in the loop's time.
    private(set) var lastMoved: Int64
    private(set) var lastReceived: Int64

    init(_ descriptor: Int32, on loop: WireLoop, connecting: Bool, door: TLSDoor? = nil) throws(WireError) {
        self.loop = loop
        self.door = door
        channel = ByteChannel(descriptor: descriptor)
        isConnecting = connecting
        lastMoved = loop.now
        lastReceived = loop.now
        interest = connecting ? EPOLLOUT.rawValue : EPOLLIN.rawValue
        channel.sendWithoutDelay()
        seat = try loop.watch(descriptor, for: interest, by: self)
    }

    /// Whether bytes are encrypted, and so copied anyway.
    var isEncrypted: Bool { channel.isEncrypted }

    /// Whether output waits because the other side does not read.
    var isStuck: Bool { interest & EPOLLOUT.rawValue != 0 && !isConnecting }

    /// To be called before output is gathered: an idle link has no memory for it.
    func openOutbox() {
        if !outbox.hasRoom(for: 1) { outbox = loop.lendOutbox() }
    }

    /// Stops and resumes reading, so that a sender who is ahead of us waits.
    func read(_ wanted: Bool) {
        guard wanted != isReading else { return }
        isReading = wanted
        updateInterest(writing: isStuck)
        if wanted, channel.hasMore { flushLater() }
    }

    /// Writes at the end of the loop's turn.
    func flushLater() {
        guard !isQueued, !isClosed else { return }
        isQueued = true
        loop.flushLater(self)
    }

    func close() {
        guard !isClosed, let seat else { return }
        isClosed = true
        loop.forget(channel.descriptor, seat)
        self.seat = nil
        channel.close()
        loop.takeBack(&outbox)
        user = nil
    }

    func finishSending() { channel.finishSending() }

    func ready(_ events: UInt32) {
        if isConnecting { return finishConnecting() }
        if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 || channel.wantsToWrite { receive() }
        if !isClosed, events & EPOLLOUT.rawValue != 0 { flush() }
    }

    private func finishConnecting() {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(channel.descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { return ended(code) }
        isConnecting = false
        lastMoved = loop.now
        updateInterest(writing: false)
        user?.connected()
        flushLater()
    }

    private func receive() {
        if let door, !open(door) { return }
        switch channel.receive(into: loop.inbox) {
        case .moved(let count):
            lastMoved = loop.now
            lastReceived = loop.now
            received += count
            user?.received(UnsafeBufferPointer(start: loop.inbox.baseAddress, count: count))
            if channel.hasMore { flushLater() }
        case .later: if channel.wantsToWrite { updateInterest(writing: true) }
        case .ended: ended(0)
        case .broken(let code): ended(code)
        }
    }

    /// Looks at the first byte: TLS begins with 22, a record of the handshake. (RFC 8446 §5.1)
    private func open(_ door: TLSDoor) -> Bool {
        var first: UInt8 = 0
        switch channel.peek(&first) {
        case .moved:
            self.door = nil
            if first == 22, let session = door.session(on: channel.descriptor, at: loop.now) {
                channel.encrypt(session)
                return true
            }
            user?.spokePlainly()
        case .later: break
        case .ended: ended(0)
        case .broken(let code): ended(code)
        }
        return false
    }

    func flush() {
        isQueued = false
        guard !isClosed, !isConnecting else { return }
        if channel.hasMore, isReading {
            receive()
            if isClosed { return }
        }
        while true {
            openOutbox()
            if !outbox.isFull, let user, !user.produce(into: &outbox) { return ended(EPROTO) }
            if outbox.isEmpty {
                loop.takeBack(&outbox)
                updateInterest(writing: false)
                return drained()
            }
            let (outcome, asked) = send()
            switch outcome {
            case .moved(let count):
                sent += count
                lastMoved = loop.now
                if count == outbox.count { outbox.removeAll(keepingCapacity: true) } else { outbox.drop(count) }
                // Less than asked for: the kernel is full, and would say so again.
                if count < asked { return updateInterest(writing: true) }
            case .later: return updateInterest(writing: true)
            case .ended: return ended(0)
            case .broken(let code): return ended(code)
            }
        }
    }

    private func send() -> (ByteChannel.Outcome, Int) {
        if channel.isEncrypted { return (outbox.withBytes { channel.send($0) }, outbox.count) }
        let (pieces, bytes) = outbox.gather(into: loop.vectors)
        return (channel.send(loop.vectors, pieces), bytes)
    }

    private func ended(_ code: Int32) { user?.ended(code) }

    private func drained() { user?.drained() }

    private func updateInterest(writing: Bool) {
        guard let seat else { return }
        let wanted = (isReading ? EPOLLIN.rawValue : 0) | (writing || channel.wantsToWrite ? EPOLLOUT.rawValue : 0)
        guard wanted != interest else { return }
        interest = wanted
        loop.watch(channel.descriptor, for: wanted, as: seat)
    }
}
