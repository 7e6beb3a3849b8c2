// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing

@testable import Wire

/// HTTP/2 frames by hand.
private enum UpstreamFrame {
    static let settings: [UInt8] = make(type: 4, stream: 0, [])
    static func settings(maxStreams: UInt8) -> [UInt8] { make(type: 4, stream: 0, [0, 3, 0, 0, 0, maxStreams]) }
    static func reset(_ stream: UInt8, code: UInt8) -> [UInt8] { make(type: 3, stream: stream, [0, 0, 0, code]) }
    static func goAway(last: UInt8) -> [UInt8] { make(type: 7, stream: 0, [0, 0, 0, last, 0, 0, 0, 0]) }
    /// GET / of host "a", in HPACK without Huffman.
    static func get(_ stream: UInt8) -> [UInt8] { make(type: 1, flags: 5, stream: stream, [0x82, 0x86, 0x84, 0x41, 1, 0x61]) }

    static func make(type: UInt8, flags: UInt8 = 0, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }
}

private let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/// How a call ended.
private enum Ending: Equatable {
    case answered, notSent, lost, otherwise
}

struct UpstreamFaultTests {
    private func upstreams(_ change: (inout UpstreamLimits) -> Void = { _ in }) throws -> GRPCUpstreams {
        var limits = UpstreamLimits()
        change(&limits)
        return GRPCUpstreams(loops: try WireLoops(count: 1), limits: limits)
    }

    private func call(_ upstreams: GRPCUpstreams, _ port: Int, host: String = "127.0.0.1") async -> Ending {
        do throws(UpstreamError) {
            let address = SocketAddress(host, port)
            _ = try await upstreams.unary(to: address, path: "/x", message: [1], deadline: .now + .seconds(20))
            return .answered
        } catch .notSent {
            return .notSent
        } catch .lost {
            return .lost
        } catch {
            return .otherwise
        }
    }

    @Test func `nobody listens: not sent`() async throws {
        let upstreams = try upstreams()
        let nobody = try RawListener(listens: false)
        let port = nobody.port
        let endings = await withTaskGroup(of: Ending.self) { group in
            for _ in 0..<10 { group.addTask { await call(upstreams, port) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(endings == Array(repeating: .notSent, count: 10))
        withExtendedLifetime(nobody) {}
        #expect(upstreams.statistics.connectionsOpen == 0)
    }

    @Test func `no address: not sent`() async throws {
        let upstreams = try upstreams()
        let ending = await call(upstreams, 1, host: "example.org")
        #expect(ending == .notSent)
    }

    @Test func `the connection ends after the request: lost`() async throws {
        let listener = try RawListener()
        let upstreams = try upstreams()
        async let reply = call(upstreams, listener.port)
        let peer = try await listener.accept()
        _ = try await peer.hear(100)
        peer.vanish()
        let replyEnding = await reply
        #expect(replyEnding == .lost)
    }

    @Test(arguments: [
        (UpstreamFrame.reset(1, code: 7), Ending.notSent), (UpstreamFrame.reset(1, code: 2), .lost),
        (UpstreamFrame.goAway(last: 0), .notSent),
    ])
    fileprivate func `a refused stream was not sent, a reset one is lost`(frame: [UInt8], ending: Ending) async throws {
        let listener = try RawListener()
        let upstreams = try upstreams()
        async let reply = call(upstreams, listener.port)
        let peer = try await listener.accept()
        _ = try await peer.hear(100)
        try await peer.say(UpstreamFrame.settings + frame)
        let replyEnding = await reply
        #expect(replyEnding == ending)
    }

    @Test func `after GOAWAY new calls take a new connection`() async throws {
        let listener = try RawListener()
        let upstreams = try upstreams()
        async let first = call(upstreams, listener.port)
        let peer = try await listener.accept()
        _ = try await peer.hear(100)
        try await peer.say(UpstreamFrame.settings + UpstreamFrame.goAway(last: 0))
        let firstEnding = await first
        #expect(firstEnding == .notSent)
        async let second = call(upstreams, listener.port)
        let other = try await listener.accept()
        _ = try await other.hear(100)
        try await other.say(UpstreamFrame.settings + UpstreamFrame.reset(1, code: 7))
        let secondEnding = await second
        #expect(secondEnding == .notSent)
    }

    @Test func `a peer that falls silent is asked, and given up`() async throws {
        let listener = try RawListener()
        let upstreams = try upstreams {
            $0.pingAfter = .milliseconds(50)
            $0.pingTimeout = .milliseconds(50)
        }
        async let reply = call(upstreams, listener.port)
        let peer = try await listener.accept()
        try await peer.say(UpstreamFrame.settings)
        let replyEnding = await reply
        #expect(replyEnding == .lost)
        withExtendedLifetime(peer) {}
    }

    @Test func `bytes that are no HTTP/2 end the connection`() async throws {
        let listener = try RawListener()
        let upstreams = try upstreams()
        async let reply = call(upstreams, listener.port)
        let peer = try await listener.accept()
        _ = try await peer.hear(100)
        try await peer.say("HTTP/1.1 400 Bad Request\r\n\r\n")
        let replyEnding = await reply
        #expect(replyEnding == .lost)
    }

    @Test func `calls beyond streams and queue are turned away and counted, and none is forgotten`() async throws {
        let listener = try RawListener()
        let upstreams = try upstreams {
            $0.connections = 1
            $0.streamsPerConnection = 1
            $0.waiting = 2
        }
        await withTaskGroup(of: Ending.self) { group in
            for _ in 0..<5 {
                group.addTask { await call(upstreams, listener.port) }
            }
            // Two are turned away; one is on the wire and two wait, until the connections break under them, one after the other.
            for _ in 0..<2 { #expect(await group.next() == .notSent) }
            for _ in 0..<3 {
                await #expect(throws: Never.self) {
                    let peer = try await listener.accept()
                    _ = try await peer.hear(100)
                    peer.vanish()
                }
                #expect(await group.next() == .lost)
            }
        }
        #expect(upstreams.statistics.callsTurnedAway == 2)
    }

    @Test func `an idle connection is closed`() async throws {
        let listener = try RawListener()
        let upstreams = try upstreams { $0.idleTimeout = .milliseconds(50) }
        async let reply = call(upstreams, listener.port)
        let peer = try await listener.accept()
        _ = try await peer.hear(100)
        try await peer.say(UpstreamFrame.settings + UpstreamFrame.reset(1, code: 7))
        let replyEnding = await reply
        #expect(replyEnding == .notSent)
        _ = try await peer.hearAll()
        #expect(upstreams.statistics.connectionsOpen == 0)
    }
}

struct HTTP2ServerTests {
    @Test func `opening and resetting streams without end is answered with the door`() async throws {
        try await serving(answer: { _ in
            try? await Task.sleep(for: .seconds(20))
            return WireResponse()
        }) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say(Array(preface.utf8) + UpstreamFrame.settings)
            for stream in 0..<120 {
                try? await peer.say(UpstreamFrame.get(UInt8(stream * 2 + 1)) + UpstreamFrame.reset(UInt8(stream * 2 + 1), code: 8))
            }
            _ = try await peer.hearAll()
            #expect(await isEmpty(server))
            #expect(server.statistics.requestsInFlight == 0)
        }
    }

    @Test func `the preface may come in pieces, and what only begins like it is refused`() async throws {
        var limits = WireLimits()
        limits.headTimeout = .seconds(60)
        try await serving(limits: limits, answer: { _ in WireResponse(body: Array("here".utf8)) }) { server in
            let peer = try RawPeer(port: server.port)
            for byte in preface.utf8 { try await peer.say([byte]) }
            try await peer.say(UpstreamFrame.settings + UpstreamFrame.get(1))
            _ = try await peer.hear(upTo: "here")
            let other = try RawPeer(port: server.port)
            try await other.say("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
            #expect(try await other.hearAll().hasPrefix("HTTP/1.1 505 "))
        }
    }

    @Test func `a stream beyond those allowed is refused`() async throws {
        var limits = WireLimits()
        limits.streamsPerConnection = 1
        let started = Tally()
        try await serving(
            limits: limits,
            answer: { _ in
                started.add()
                try? await Task.sleep(for: .seconds(20))
                return WireResponse()
            }
        ) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say(Array(preface.utf8) + UpstreamFrame.settings + UpstreamFrame.get(1) + UpstreamFrame.get(3))
            let refusal = UpstreamFrame.reset(3, code: 7)
            var heard: [UInt8] = []
            while !heard.suffix(refusal.count).elementsEqual(refusal) { heard += try await peer.hear(1) }
            #expect(started.count <= 1)
        }
    }
}
