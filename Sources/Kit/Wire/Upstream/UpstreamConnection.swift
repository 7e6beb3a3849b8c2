// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import CNghttp2
import Glibc

/// One HTTP/2 connection to a gRPC server, and the calls on it.
final class UpstreamConnection: LoopTimer, LinkUser {
    private enum Phase {
        case connecting, open
        /// The peer said GOAWAY, or streams have run out: what is under way may finish.
        case draining
        case closed
    }

    /// Pings in one silence: gRPC's own servers hang up on the third.
    private static let patience = 2

    private let pool: UpstreamPool
    private let line: UpstreamLine
    private let link: Link
    private var engine: HTTP2Engine?
    private var phase = Phase.connecting
    private var calls: [UpstreamCall] = []
    private var block = HeaderBlock()
    private let authority: String
    private let place: String
    private var quietSince: Int64
    private var pingedAt: Int64?
    private var pings = 0
    /// Whether the peer has not yet said how many streams it wants: until then it gets one.
    private(set) var isUnsettled = true

    init(to address: KernelAddress, line: UpstreamLine, pool: UpstreamPool) throws(WireError) {
        self.pool = pool
        self.line = line
        place = line.address.description
        // What gRPC's own libraries say where there is no host.
        authority = if case .unix = line.address { "localhost" } else { place }
        quietSince = pool.loop.now
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        if address.withPointer({ connect(descriptor, $0, $1) }) != 0, errno != EINPROGRESS {
            let code = errno
            Glibc.close(descriptor)
            throw .system("connection", code)
        }
        do throws(WireError) {
            link = try Link(descriptor, on: pool.loop, connecting: true)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        super.init()
        let context = Unmanaged.passUnretained(self).toOpaque()
        engine = HTTP2Engine(isServer: false, context: context, callbacks: UpstreamCallbacks.install)
        engine?.announce(
            [(.enablePush, 0), (.initialWindowSize, 1 << 20), (.maxConcurrentStreams, 0)], connectionWindow: 4 << 20)
        link.user = self
        pool.counters.connectionsOpen.count()
        pool.counters.connectionsMade.count()
        pool.loop.plan(self, after: pool.limits.connectTimeout.wholeNanoseconds)
    }

    /// Whether new calls may come, now or when others have ended.
    var takesCalls: Bool { phase == .connecting || phase == .open }

    /// Whether room is about to become known.
    var mayGetRoom: Bool { takesCalls && isUnsettled }

    var hasRoom: Bool { takesCalls && calls.count < room }

    private var room: Int {
        guard let engine else { return 0 }
        if isUnsettled { return 1 }
        let theirs = nghttp2_session_get_remote_settings(engine.session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return min(pool.limits.streamsPerConnection, Int(theirs))
    }

    // MARK: Calls

    /// Puts the request into nghttp2's hands; false when this connection has no stream left.
    func submit(_ call: UpstreamCall) -> Bool {
        guard let engine else { return false }
        block.clear()
        block.add(":method", "POST")
        block.add(":scheme", "http")
        block.add(":path", call.path)
        block.add(":authority", authority)
        block.add("te", "trailers")
        block.add("content-type", "application/grpc")
        let timeout = GRPCTimeout.format(call.latest - pool.loop.instant)
        block.add("grpc-timeout", decimal: timeout.count, unit: timeout.unit)
        block.add(call.metadata)
        var provider = UpstreamCallbacks.provider(of: call)
        let context = Unmanaged.passUnretained(call).toOpaque()
        let stream = block.withFields { nghttp2_submit_request(engine.session, nil, $0, $1, &provider, context) }
        guard stream >= 0 else {
            if stream == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE.rawValue { startDraining() }
            return false
        }
        call.stream = stream
        call.connection = self
        call.place = calls.count
        calls.append(call)
        link.flushLater()
        return true
    }

    /// Nobody waits for the call any more: its stream is reset, unless it has ended.
    func abandon(_ call: UpstreamCall) {
        guard let engine, phase != .closed else { return }
        nghttp2_submit_rst_stream(engine.session, 0, call.stream, UInt32(NGHTTP2_CANCEL.rawValue))
        link.flushLater()
    }

    // MARK: Streams, as the callbacks tell of them

    func writing(_ call: UpstreamCall) { call.writtenAt = engine?.produced }

    func ended(_ call: UpstreamCall, code: UInt32) {
        calls[call.place] = calls[calls.count - 1]
        calls[call.place].place = call.place
        calls.removeLast()
        call.connection = nil
        quietSince = pool.loop.now
        call.ended(code: code, wasRefused: code == NGHTTP2_REFUSED_STREAM.rawValue)
    }

    func settled() { isUnsettled = false }

    func startDraining() {
        if takesCalls { phase = .draining }
    }

    /// The peer has said something about a call, so it lives.
    func heard() { pings = 0 }

    // MARK: Bytes

    func connected() {
        phase = .open
        pool.loop.plan(self, after: min(pool.limits.pingAfter, pool.limits.idleTimeout).wholeNanoseconds)
    }

    func received(_ bytes: UnsafeBufferPointer<UInt8>) {
        pingedAt = nil
        guard let engine, engine.receive(bytes) else { return close("peer broke the protocol") }
        link.flushLater()
        line.roomAppeared()
    }

    func produce(into outbox: inout Outbox) -> Bool { engine?.produce(into: &outbox) ?? false }

    func lend(_ head: UnsafePointer<UInt8>, _ payload: Payload, from start: Int, _ count: Int) -> Int32 {
        engine?.lend(head, payload, from: start, count) ?? Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
    }

    func drained() {
        line.roomAppeared()
        if let engine, engine.isFinished || (phase == .draining && calls.isEmpty) { close("finished") }
    }

    func ended(_ code: Int32) {
        let what = phase == .connecting ? "cannot connect" : "connection lost"
        close("\(what): \(code == 0 ? "closed by peer" : reason(of: code))")
    }

    // MARK: Time

    override func timeIsUp() {
        let now = pool.loop.now
        let limits = pool.limits
        if phase == .connecting { return close("no connection within \(limits.connectTimeout)") }
        if let pingedAt, now - pingedAt >= limits.pingTimeout.wholeNanoseconds { return close("no answer to a ping") }
        if calls.isEmpty {
            if now - quietSince >= limits.idleTimeout.wholeNanoseconds { return close("idle") }
        } else if now - link.lastReceived >= limits.pingAfter.wholeNanoseconds, pings < Self.patience, pingedAt == nil, let engine {
            pings += 1
            pingedAt = now
            nghttp2_submit_ping(engine.session, 0, nil)
            link.flushLater()
        }
        let pause = pingedAt == nil ? min(limits.pingAfter, limits.idleTimeout) : limits.pingTimeout
        pool.loop.plan(self, after: pause.wholeNanoseconds)
    }

    // MARK: The end

    /// Closes; calls that the kernel has taken nothing of were not sent, all others are lost.
    func close(_ reason: String) {
        guard phase != .closed else { return }
        let neverStood = phase == .connecting
        phase = .closed
        pool.loop.cancel(self)
        pool.counters.connectionsOpen.count(-1)
        let sent = link.sent
        link.close()
        engine = nil
        let orphans = calls
        calls = []
        for call in orphans {
            call.connection = nil
            let wasSent = call.writtenAt.map { sent > $0 } ?? false
            call.fail(wasSent ? .lost("\(place): \(reason)") : .notSent("\(place): \(reason)"))
        }
        line.closed(self, without: neverStood ? "\(place): \(reason)" : nil)
    }
}
