// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CNghttp2

/// HTTP/2 over an accepted connection. nghttp2 keeps the protocol; this keeps the exchanges.
final class HTTP2ServerSession: ServerSession, ExchangeOwner {
    let connection: ServerConnection
    private(set) var engine: HTTP2Engine?
    var block = HeaderBlock()
    private var open: [Exchange] = []
    var answered = 0
    private var resets = 0
    /// Frames that ask for nothing.
    private var chatter = 0
    private var isDoomed = false
    private var pingedAt: Int64?

    init?(_ connection: ServerConnection) {
        self.connection = connection
        let context = Unmanaged.passUnretained(self).toOpaque()
        guard let engine = HTTP2Engine(isServer: true, context: context, callbacks: HTTP2ServerCallbacks.install) else { return nil }
        self.engine = engine
        engine.announce(
            [
                (.maxConcurrentStreams, limits.streamsPerConnection), (.initialWindowSize, 262_144),
                (.maxHeaderListSize, limits.headBytes),
            ], connectionWindow: 1 << 20)
        connection.plan(after: limits.idleTimeout)
    }

    var link: Link { connection.link }
    var limits: WireLimits { connection.limits }

    // MARK: Bytes

    func received(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let engine else { return }
        guard engine.receive(bytes) else { return connection.close() }
        if isDoomed { return hangUp(engine) }
        // Who does not read what it makes us write is not read either.
        if link.isStuck, link.outbox.isFull { link.read(false) }
        link.flushLater()
    }

    func produce(into outbox: inout Outbox) -> Bool { engine?.produce(into: &outbox) ?? false }

    /// Tells a caller who wears us out why it is left. (RFC 9113 §10.5)
    private func hangUp(_ engine: HTTP2Engine) {
        connection.counters.requestsRejected.count()
        guard !link.isStuck else { return connection.close() }
        nghttp2_session_terminate_session(engine.session, UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue))
        link.flushLater()
    }

    func drained() {
        link.read(true)
        if isDoomed { return connection.closePolitely() }
        if let engine, engine.isFinished { connection.closePolitely() }
    }

    // MARK: Streams, as the callbacks tell of them

    func began(_ stream: Int32) -> Exchange {
        let loop = connection.loop
        let request = WireRequest(
            method: "", path: "", isHTTP2: true, peer: connection.peer, deadline: loop.instant + limits.requestTimeout)
        let exchange = Exchange(request, of: self, on: connection.server, stream: stream)
        exchange.request.headers.reserve()
        exchange.place = open.count
        open.append(exchange)
        loop.plan(exchange, after: limits.requestTimeout.wholeNanoseconds)
        return exchange
    }

    func field(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, of exchange: Exchange) {
        exchange.headBytes += name.count + value.count
        exchange.headFields += 1
        // A block that goes on and on after it was refused is made to wear us out: a byte of it may stand for four thousand.
        if exchange.headBytes > 8 * limits.headBytes { isDoomed = true }
        // After the head come trailers, which nothing here reads; a refused request has no ears at all.
        guard exchange.answer == nil, !exchange.isOver, !exchange.isHeadWhole else { return }
        if name.first == UInt8(ascii: ":") {
            if name.isSame(":method") {
                exchange.request.method = String(decoding: value, as: UTF8.self)
            } else if name.isSame(":path") {
                let target = value.firstIndex(of: UInt8(ascii: "?")) ?? value.count
                exchange.request.path = String(decoding: value[..<target], as: UTF8.self)
                if target < value.count { exchange.request.query = String(decoding: value[(target + 1)...], as: UTF8.self) }
            } else if name.isSame(":authority") {
                exchange.request.headers.append("host", String(decoding: value, as: UTF8.self))
            }
        } else {
            exchange.request.headers.append(name: name, value: value)
        }
        if exchange.headBytes > limits.headBytes {
            refuse(exchange, HTTPFault(status: 431, reason: "head over \(limits.headBytes) bytes"))
        } else if exchange.headFields > limits.headFields {
            refuse(exchange, HTTPFault(status: 431, reason: "more than \(limits.headFields) header fields"))
        }
    }

    func headCame(_ exchange: Exchange, isWhole: Bool) {
        // Trailers: all they tell is that the body has ended.
        if exchange.isHeadWhole { return requestCame(exchange) }
        exchange.isHeadWhole = true
        if !exchange.hold(exchange.headBytes), exchange.answer == nil { refuse(exchange, .tooMuchHeld) }
        if exchange.answer == nil, !exchange.isOver, startStream(exchange, isWhole: isWhole) { return }
        if isWhole { return requestCame(exchange) }
        if let length = exchange.request.headers["content-length"].flatMap({ Int($0) }), length > limits.bodyBytes {
            return refuse(exchange, bodyTooLarge)
        }
        guard exchange.answer == nil, exchange.request.headers["expect"]?.lowercased() == "100-continue", let engine else { return }
        block.clear()
        block.add(":status", "100")
        _ = block.withFields { nghttp2_submit_headers(engine.session, 0, exchange.stream, nil, $0, $1, nil) }
    }

    func body(_ bytes: UnsafeBufferPointer<UInt8>, of exchange: Exchange) {
        movedData()
        if let stream = exchange.grpc {
            // The connection's window serves all its streams, and so is never shut by one of them.
            if let session = engine?.session { nghttp2_session_consume_connection(session, bytes.count) }
            if !stream.received(bytes) { refuse(exchange, .tooMuchHeld) }
            return
        }
        if let session = engine?.session { nghttp2_session_consume(session, exchange.stream, bytes.count) }
        guard exchange.answer == nil, !exchange.isOver else { return }
        guard exchange.request.body.count + bytes.count <= limits.bodyBytes else {
            return refuse(exchange, bodyTooLarge)
        }
        guard exchange.hold(bytes.count) else { return refuse(exchange, .tooMuchHeld) }
        let size = exchange.request.body.count + bytes.count
        // What is said about the length is only a promise: memory for all of it is taken when some has come.
        if size > 16_384, size > exchange.request.body.capacity, let expected = exchange.request.expectedBody, expected >= size {
            exchange.request.body.reserveCapacity(min(expected, limits.bodyBytes))
        }
        exchange.request.body.append(contentsOf: bytes)
    }

    private var bodyTooLarge: HTTPFault { HTTPFault(status: 413, reason: "body over \(limits.bodyBytes) bytes") }

    func requestCame(_ exchange: Exchange) {
        exchange.isRequestWhole = true
        if let stream = exchange.grpc { return stream.callerIsThrough() }
        guard exchange.answer == nil, !exchange.isOver else { return }
        guard connection.server.hasRoom else { return refuse(exchange, .tooManyRequests) }
        if exchange.request.method == "CONNECT" { return refuse(exchange, HTTPFault(status: 501, reason: "CONNECT is not served")) }
        if let limit = exchange.request.grpcTimeout {
            let loop = connection.loop
            exchange.request.deadline = min(exchange.request.deadline, loop.instant + limit)
            loop.plan(exchange, at: loop.time(of: exchange.request.deadline))
        }
        exchange.dispatch()
    }

    func ended(_ exchange: Exchange, wasReset: Bool) {
        open[exchange.place] = open[open.count - 1]
        open[exchange.place].place = exchange.place
        open.removeLast()
        if exchange.isOpen, wasReset {
            connection.counters.requestsAbandoned.count()
            heardReset()
        }
        exchange.end()
        if open.isEmpty { connection.plan(after: limits.idleTimeout) }
    }

    /// Opening streams and having them reset without end costs the caller nothing and us a task each.
    func heardReset() {
        resets += 1
        if resets > 100, resets > answered { isDoomed = true }
    }

    /// A frame has come that asks for nothing: settings, pings, data without bytes. Some are manners, thousands are an attack.
    func heardChatter() {
        chatter += 1
        if chatter > 1000, chatter / 100 > answered { isDoomed = true }
    }

    /// Bytes of a body have come or gone. gRPC's libraries ping with them, to measure the way; a long stream must not be cut for it.
    func movedData() {
        if chatter > 0 { chatter -= 1 }
    }

    // MARK: Answering

    func finish(_ exchange: Exchange, with response: WireResponse) {
        answered += 1
        if exchange.hold(response.size) {
            answer(exchange, response)
            exchange.settle()
        } else {
            exchange.hold(-response.size)
            refuse(exchange, .tooMuchHeld)
        }
    }

    func answer(_ exchange: Exchange, _ response: WireResponse) {
        guard let engine, exchange.answer == nil, !exchange.isOver else { return }
        exchange.answer = response
        exchange.payload = response.payload
        block.clear()
        block.add(":status", decimal: min(max(response.status, 200), 999))
        block.add(response.headers)
        let isHead = exchange.request.method == "HEAD"
        if let trailers = response.trailers {
            if response.size == 0 { block.add(trailers) }
        } else if response.status != 204, response.status != 304 {
            block.add("content-length", decimal: response.size)
            block.add("date", connection.loop.date.current)
        }
        let session = engine.session
        var provider = HTTP2ServerCallbacks.provider(of: exchange)
        _ = block.withFields { fields, count in
            response.size == 0 || isHead
                ? nghttp2_submit_response(session, exchange.stream, fields, count, nil)
                : nghttp2_submit_response(session, exchange.stream, fields, count, &provider)
        }
        link.flushLater()
    }

    /// Called by nghttp2 when the last of the body has been taken.
    func sendTrailers(_ trailers: WireHeaders, on stream: Int32) {
        guard let engine else { return }
        block.clear()
        block.add(trailers)
        _ = block.withFields { nghttp2_submit_trailer(engine.session, stream, $0, $1) }
    }

    /// The answer's last frame is on its way. Who still sends has a second to notice by itself, for some callers take a reset
    /// without blame (RFC 9113 §8.1) for a failure and forget the answer.
    func answerLeft(_ exchange: Exchange) {
        guard !exchange.isRequestWhole else { return }
        exchange.hasAnswerLeft = true
        connection.loop.plan(exchange, after: Duration.seconds(1).wholeNanoseconds)
    }

    func refuse(_ exchange: Exchange, _ fault: HTTPFault) {
        connection.counters.requestsRejected.count()
        cutShort(exchange, with: fault)
    }

    private func cutShort(_ exchange: Exchange, with fault: HTTPFault) {
        if exchange.request.isGRPC {
            let code: GRPCCode = fault.status == 504 || fault.status == 408 ? .deadlineExceeded : .resourceExhausted
            let status = GRPCStatus(code, fault.reason)
            if let stream = exchange.grpc { return cutShort(exchange, stream, with: status) }
            answer(exchange, .grpc(status: status))
        } else {
            answer(exchange, connection.server.refusal(fault, path: exchange.request.path))
        }
        exchange.settle()
    }

    func reset(_ exchange: Exchange, _ code: nghttp2_error_code) {
        guard let engine else { return }
        nghttp2_submit_rst_stream(engine.session, 0, exchange.stream, UInt32(code.rawValue))
        link.flushLater()
    }

    // MARK: Time

    func timeIsUp(for exchange: Exchange) {
        if exchange.isOpen {
            connection.counters.requestsTimedOut.count()
            cutShort(exchange, with: exchange.isRequestWhole || exchange.grpc != nil ? .tooLate : .tooSlow)
            // The caller may have left no window for that either.
            connection.loop.plan(exchange, after: min(limits.requestTimeout, .seconds(5)).wholeNanoseconds)
        } else {
            // The caller does not take its answer, or goes on sending after it.
            reset(exchange, exchange.hasAnswerLeft ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL)
        }
    }

    func timeIsUp() {
        let now = connection.loop.now
        let quiet = Duration.nanoseconds(now - link.lastMoved)
        if link.isStuck, quiet >= limits.idleTimeout { return connection.close() }
        if open.isEmpty {
            finishDraining()
        } else if let engine, Duration.nanoseconds(now - link.lastReceived) >= limits.idleTimeout {
            // A stream may be silent for long; its caller must at least live.
            if pingedAt.map({ $0 > link.lastReceived }) == true { return connection.close() }
            pingedAt = now
            nghttp2_submit_ping(engine.session, 0, nil)
            link.flushLater()
        }
        connection.plan(after: limits.idleTimeout)
    }

    // MARK: Ending

    func drain() {
        guard let engine else { return }
        nghttp2_submit_shutdown_notice(engine.session)
        link.flushLater()
    }

    func finishDraining() {
        guard let engine else { return }
        let last = nghttp2_session_get_last_proc_stream_id(engine.session)
        nghttp2_submit_goaway(engine.session, 0, last, UInt32(NGHTTP2_NO_ERROR.rawValue), nil, 0)
        link.flushLater()
    }

    func closed() {
        engine = nil
        for exchange in open {
            if exchange.isOpen { connection.counters.requestsAbandoned.count() }
            exchange.end()
        }
        open = []
    }
}
