// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What speaks HTTP over an accepted connection, one class per version.
protocol ServerSession: AnyObject {
    func received(_ bytes: UnsafeBufferPointer<UInt8>)
    func produce(into outbox: inout Outbox) -> Bool
    func drained()
    /// The connection's appointment has come.
    func timeIsUp()
    /// The server is going away: say so, and take what still comes.
    func drain()
    /// The grace is over: take nothing new.
    func finishDraining()
    /// The connection is closed; let everything go.
    func closed()
}

/// An accepted connection. Its first bytes say which version of HTTP it speaks.
final class ServerConnection: LoopTimer, LinkUser {
    /// HTTP/2's first words (RFC 9113 §3.4), which no HTTP/1 request begins with.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let link: Link
    let server: LoopServer
    let peer: String
    private var session: (any ServerSession)?
    private var opening: [UInt8] = []
    private var isDraining = false
    /// Nothing more will be sent; what still comes is thrown away, so that the last answer is not lost to a reset.
    private var isLingering = false
    /// The one answer is on its way.
    private var isRefused = false

    init(_ link: Link, of server: LoopServer, peer: String) {
        self.link = link
        self.server = server
        self.peer = peer
    }

    var loop: WireLoop { link.loop }
    var limits: WireLimits { server.limits }
    var counters: ServerCounters { server.counters }

    func begin() {
        link.user = self
        plan(after: limits.headTimeout)
    }

    /// Has `timeIsUp` called then; a second appointment replaces the first.
    func plan(after delay: Duration) { loop.plan(self, after: delay.wholeNanoseconds) }

    func close() {
        guard !link.isClosed else { return }
        loop.cancel(self)
        counters.bytesReceived.count(link.received)
        counters.bytesSent.count(link.sent)
        session?.closed()
        session = nil
        // Counted before the other side can know.
        server.closed(self)
        link.close()
    }

    /// Says that nothing more will come, and gives the other side two seconds to take what did.
    func closePolitely() {
        guard !link.isClosed, !isLingering else { return }
        isLingering = true
        session?.closed()
        session = nil
        link.finishSending()
        link.read(true)
        plan(after: .seconds(2))
    }

    func received(_ bytes: UnsafeBufferPointer<UInt8>) {
        if isLingering || isRefused { return }
        if let session { return session.received(bytes) }
        opening.append(contentsOf: bytes)
        let count = min(opening.count, Self.preface.count)
        let isHTTP2 = opening[..<count].elementsEqual(Self.preface[..<count])
        if isHTTP2, count < Self.preface.count { return }
        let session: any ServerSession
        if isHTTP2 {
            guard let engine = HTTP2ServerSession(self) else { return close() }
            session = engine
        } else {
            session = HTTP1Session(self)
        }
        self.session = session
        if isDraining { session.drain() }
        let first = opening
        opening = []
        first.withUnsafeBufferPointer { session.received($0) }
    }

    func connected() {}

    func produce(into outbox: inout Outbox) -> Bool { session?.produce(into: &outbox) ?? true }

    func drained() {
        if isRefused { closePolitely() } else { session?.drained() }
    }

    /// Plain HTTP where TLS is wanted gets a plain answer, in the one dialect that every caller can show.
    func spokePlainly() {
        isRefused = true
        counters.requestsRejected.count()
        let answer = server.refusal(HTTPFault(status: 400, reason: "wanted TLS on this port, found plain text"), path: "")
        HTTP1Writer(date: loop.date, closes: true, isHead: false).write(answer, to: &link.outbox)
        link.flushLater()
    }

    /// A caller that has finished sending is taken to have left: nobody waits for an answer with half a connection.
    func ended(_ code: Int32) { close() }

    override func timeIsUp() {
        if let session { session.timeIsUp() } else { close() }
    }

    func drain() {
        isDraining = true
        session?.drain()
    }

    func finishDraining() {
        if let session { session.finishDraining() } else if !isLingering { close() }
    }
}
