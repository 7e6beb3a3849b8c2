// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// HTTP/1.1 over an accepted connection: one request at a time, in order; what is pipelined waits in the inbox.
final class HTTP1Session: ServerSession, ExchangeOwner {
    private enum Ending {
        case open
        /// The next answer is the last.
        case afterAnswer
        /// The last answer is being written; then the connection is closed, politely if input may still be under way.
        case afterWriting(politely: Bool)
    }

    /// Beyond this much unread input the other side has to wait, beyond that much unwritten output the next request.
    private static let unread = 16_384
    private static let unwritten = 262_144

    private let connection: ServerConnection
    private var parser: HTTP1Parser
    private var inbox = ByteQueue()
    private var exchange: Exchange?
    private var isHead = false
    private var began: Int64 = 0
    private var held = 0
    private var answering = 0
    private var ending = Ending.open

    init(_ connection: ServerConnection) {
        self.connection = connection
        parser = HTTP1Parser(limits: connection.limits)
        began = connection.loop.now
    }

    private var link: Link { connection.link }

    // MARK: Reading

    func received(_ bytes: UnsafeBufferPointer<UInt8>) {
        switch ending {
        case .afterWriting: return
        case .afterAnswer where exchange != nil: return
        default: break
        }
        if inbox.isEmpty, mayRead {
            var rest = bytes
            pump(&rest)
            inbox.append(rest)
        } else {
            inbox.append(bytes)
        }
        if inbox.count > Self.unread { link.read(false) }
        account()
        plan()
    }

    /// Refuses what would be too much for the server; what waits behind a request under way is dropped instead.
    private func account() {
        guard !link.isClosed, !hold(parser.size + inbox.count), held > 0 else { return }
        inbox.removeAll()
        if exchange == nil { return refuse(.tooMuchHeld) }
        ending = .afterAnswer
        _ = hold(0)
    }

    /// Tells the server how much is kept here.
    private func hold(_ count: Int) -> Bool {
        let more = count - held
        held = count
        return connection.server.hold(more)
    }

    private var mayRead: Bool {
        guard exchange == nil, !link.isClosed, link.outbox.count < Self.unwritten else { return false }
        if case .afterWriting = ending { return false }
        return true
    }

    /// Parses until a request is under way or the input is used up.
    private func pump(_ input: inout UnsafeBufferPointer<UInt8>) {
        while mayRead, !input.isEmpty {
            if parser.isFresh { began = connection.loop.now }
            do {
                switch try parser.advance(over: &input) {
                case .needsMore: return
                case .head: greet(bodyHasCome: !input.isEmpty)
                case .complete: start()
                }
            } catch {
                input = UnsafeBufferPointer(rebasing: input[input.count...])
                return refuse(error)
            }
        }
    }

    /// Goes on with what has waited in the inbox.
    private func pumpInbox() {
        guard mayRead, !inbox.isEmpty else { return }
        var queue = inbox
        inbox = ByteQueue()
        let used = queue.withBytes { all in
            var rest = all
            pump(&rest)
            return all.count - rest.count
        }
        queue.drop(used)
        inbox = queue
        if inbox.count <= Self.unread { link.read(true) }
    }

    private func greet(bodyHasCome: Bool) {
        guard parser.head.expectsContinue, !bodyHasCome else { return }
        link.outbox.append("HTTP/1.1 100 Continue\r\n\r\n")
        link.flushLater()
    }

    private func start() {
        guard connection.server.hasRoom else { return refuse(.tooManyRequests) }
        let (head, body) = parser.takeRequest()
        isHead = head.method == "HEAD"
        if head.asksToClose, case .open = ending { ending = .afterAnswer }
        let limit = Duration.nanoseconds(began - connection.loop.now) + connection.limits.requestTimeout
        let request = WireRequest(
            method: head.method, path: head.path, query: head.query, headers: head.headers, body: body, peer: connection.peer,
            deadline: connection.loop.instant + limit)
        let exchange = Exchange(request, of: self, on: connection.server)
        self.exchange = exchange
        // From here on the exchange answers for it; a body that is whole is let through.
        _ = hold(body.count)
        exchange.held = held
        held = 0
        exchange.dispatch()
    }

    // MARK: Answering

    func finish(_ exchange: Exchange, with response: WireResponse) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        let path = exchange.request.path
        exchange.end()
        if connection.server.hold(response.size) {
            answering += response.size
            write(response, isHead: isHead)
        } else {
            _ = connection.server.hold(-response.size)
            connection.counters.requestsRejected.count()
            write(connection.server.refusal(.tooMuchHeld, path: path), isHead: isHead)
        }
        pumpInbox()
        account()
        plan()
    }

    private func write(_ response: WireResponse, isHead: Bool) {
        var closes = true
        if case .open = ending { closes = false }
        link.openOutbox()
        HTTP1Writer(date: connection.loop.date, closes: closes, isHead: isHead).write(
            response, to: &link.outbox, lending: !link.isEncrypted)
        if closes { ending = .afterWriting(politely: !inbox.isEmpty) }
        link.flushLater()
    }

    private func refuse(_ fault: HTTPFault) {
        connection.counters.requestsRejected.count()
        ending = .afterAnswer
        inbox.removeAll()
        write(connection.server.refusal(fault, path: parser.head.path), isHead: false)
        ending = .afterWriting(politely: true)
        plan()
    }

    func produce(into outbox: inout Outbox) -> Bool { true }

    func drained() {
        letAnswersGo()
        switch ending {
        case .open, .afterAnswer:
            if !inbox.isEmpty, exchange == nil {
                pumpInbox()
                account()
                plan()
            }
        case .afterWriting(politely: false): connection.close()
        case .afterWriting(politely: true): connection.closePolitely()
        }
    }

    // MARK: Time

    /// Plans the one deadline that matters now.
    private func plan() {
        guard !link.isClosed else { return }
        let limits = connection.limits
        let spent = Duration.nanoseconds(connection.loop.now - began)
        switch ending {
        case .afterWriting: connection.plan(after: limits.idleTimeout)
        case .open, .afterAnswer:
            if exchange != nil || parser.isInBody {
                connection.plan(after: limits.requestTimeout - spent)
            } else {
                connection.plan(after: parser.isFresh ? limits.idleTimeout : limits.headTimeout - spent)
            }
        }
    }

    func timeIsUp() {
        if let exchange {
            connection.counters.requestsTimedOut.count()
            ending = .afterAnswer
            return finish(exchange, with: connection.server.refusal(.tooLate, path: exchange.request.path))
        }
        if parser.isFresh {
            // Idle, or the answer's reader has gone to sleep; while bytes move it is neither.
            let quiet = Duration.nanoseconds(connection.loop.now - link.lastMoved)
            if !link.outbox.isEmpty, quiet < connection.limits.idleTimeout {
                return connection.plan(after: connection.limits.idleTimeout - quiet)
            }
            return connection.close()
        }
        connection.counters.requestsTimedOut.count()
        refuse(.tooSlow)
    }

    func timeIsUp(for exchange: Exchange) {}

    // MARK: Ending

    func drain() {
        if case .open = ending { ending = .afterAnswer }
    }

    func finishDraining() {
        if exchange == nil, parser.isFresh, inbox.isEmpty, link.outbox.isEmpty { connection.close() }
    }

    /// The kernel has taken all that was answered.
    private func letAnswersGo() {
        _ = connection.server.hold(-answering)
        answering = 0
    }

    func closed() {
        _ = hold(0)
        letAnswersGo()
        guard let exchange else { return }
        connection.counters.requestsAbandoned.count()
        exchange.end()
        self.exchange = nil
    }
}
