// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing

@testable import Wire

/// Says what was asked, with the body after it.
private func echo(_ request: WireRequest) async -> WireResponse {
    WireResponse(headers: ["x-method": request.method], body: Array(request.path.utf8) + request.body)
}

/// Waits until cancelled, and tells that it was.
private func waiting(started: Tally, cancelled: Tally) -> @Sendable (WireRequest) async -> WireResponse {
    { _ in
        started.add()
        do { try await Task.sleep(for: .seconds(20)) } catch { cancelled.add() }
        return WireResponse(text: "late")
    }
}

extension WireResponse {
    fileprivate init(text: String) { self.init(status: 200, text: text) }
}

struct HTTP1ServerTests {
    @Test func `requests of one connection are answered in order, however they arrive`() async throws {
        try await serving(answer: echo) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET /1 HTTP/1.1\r\nhost: x\r\n\r\nPOST /2 HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcGET /3 HT")
            let two = try await peer.hear(upTo: "/2abc")
            #expect(two.contains("content-length: 2\r\n") && two.contains("\r\n\r\n/1HTTP/1.1 200 OK\r\n"))
            try await peer.say("TP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            let last = try await peer.hearAll()
            #expect(last.hasPrefix("HTTP/1.1 200 OK\r\nx-method: GET\r\ncontent-length: 2\r\ndate: "))
            #expect(last.hasSuffix("\r\nconnection: close\r\n\r\n/3"))
            #expect(server.statistics.requests == 3)
        }
    }

    @Test func `two hundred pipelined requests all get their answer, and the sender waits its turn`() async throws {
        let body = [UInt8](repeating: UInt8(ascii: "a"), count: 20_000)
        try await serving(answer: { _ in WireResponse(body: body) }) { server in
            let peer = try RawPeer(port: server.port, receiveBuffer: 4096)
            let request = "GET / HTTP/1.1\r\nhost: x\r\nx: \(String(repeating: "y", count: 900))\r\n\r\n"
            async let asked: Void = peer.say(String(repeating: request, count: 200))
            var heard = 0
            for _ in 0..<200 {
                let head = try await peer.hear(upTo: "\r\n\r\n")
                #expect(head.contains("content-length: 20000\r\n"))
                heard += try await peer.hear(20_000).count
            }
            try await asked
            #expect(heard == 4_000_000)
        }
    }

    @Test func `leave to send a body is given once, and not when the body is refused anyway`() async throws {
        var limits = WireLimits()
        limits.bodyBytes = 5
        try await serving(limits: limits, answer: echo) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("PUT /p HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
            #expect(try await peer.hear(upTo: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try await peer.say("hello")
            #expect(try await peer.hear(upTo: "/phello").hasPrefix("HTTP/1.1 200 OK\r\n"))
            try await peer.say("PUT /p HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 6\r\n\r\n")
            #expect(try await peer.hearAll().hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
            #expect(server.statistics.requestsRejected == 1)
        }
    }

    @Test func `a refusal reaches a caller who is still sending`() async throws {
        var limits = WireLimits()
        limits.bodyBytes = 1000
        try await serving(limits: limits, answer: echo) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say(
                "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffff\r\n" + String(repeating: "a", count: 1_000_000))
            #expect(try await peer.hearAll().contains("413 Content Too Large"))
        }
    }

    @Test func `HEAD gets the head of the answer, and no content means none`() async throws {
        try await serving(answer: { WireResponse(status: $0.path == "/none" ? 204 : 200, body: Array("body".utf8)) }) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("HEAD / HTTP/1.1\r\nhost: x\r\n\r\nGET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            let answers = try await peer.hearAll()
            #expect(answers.contains("content-length: 4\r\n") && !answers.contains("body"))
            #expect(answers.contains("HTTP/1.1 204 No Content\r\ndate: "))
        }
    }

    @Test func `bytes that are no HTTP are refused and counted`() async throws {
        try await serving(answer: echo) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("\u{16}\u{3}\u{1}\r\n")
            #expect(try await peer.hearAll().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
            #expect(server.statistics.requestsRejected == 1)
        }
    }

    @Test func `a head that trickles in is given up, a silent connection is closed`() async throws {
        var limits = WireLimits()
        limits.headTimeout = .milliseconds(100)
        limits.idleTimeout = .milliseconds(100)
        try await serving(limits: limits, answer: echo) { server in
            let slow = try RawPeer(port: server.port)
            try await slow.say("GET / HTTP/1.1\r\nho")
            #expect(try await slow.hearAll().hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
            let silent = try RawPeer(port: server.port)
            #expect(try await silent.hearAll() == "")
            let idle = try RawPeer(port: server.port)
            try await idle.say("GET /x HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try await idle.hearAll().hasSuffix("/x"))
        }
    }

    @Test func `a handler that takes too long is cancelled, and its caller told`() async throws {
        var limits = WireLimits()
        limits.requestTimeout = .milliseconds(100)
        let started = Tally()
        let cancelled = Tally()
        try await serving(limits: limits, answer: waiting(started: started, cancelled: cancelled)) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try await peer.hearAll().hasPrefix("HTTP/1.1 504 Gateway Timeout\r\n"))
            try await cancelled.reaches(1)
            #expect(server.statistics.requestsTimedOut == 1)
        }
    }

    @Test(arguments: [true, false]) func `a caller that leaves cancels its handler`(politely: Bool) async throws {
        let started = Tally()
        let cancelled = Tally()
        try await serving(answer: waiting(started: started, cancelled: cancelled)) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            try await started.reaches(1)
            if politely { peer.finishSaying() } else { peer.vanish() }
            try await cancelled.reaches(1)
            #expect(server.statistics.requestsAbandoned == 1)
            #expect(server.statistics.requestsInFlight == 0)
        }
    }

    @Test func `a connection too many is closed at once`() async throws {
        var limits = WireLimits()
        limits.connections = 1
        try await serving(limits: limits, answer: echo) { server in
            let first = try RawPeer(port: server.port)
            try await first.say("GET /1 HTTP/1.1\r\nhost: x\r\n\r\n")
            _ = try await first.hear(upTo: "/1")
            let second = try RawPeer(port: server.port)
            #expect(try await second.hearAll() == "")
            #expect(server.statistics.connectionsRejected == 1)
            #expect(server.statistics.connectionsOpen == 1)
        }
    }

    @Test func `bodies that together are too many are refused`() async throws {
        var limits = WireLimits()
        limits.heldBytes = 1000
        try await serving(limits: limits, answer: echo) { server in
            let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n"
            let first = try RawPeer(port: server.port)
            try await first.say(head + String(repeating: "a", count: 600))
            let second = try RawPeer(port: server.port)
            // The first has been heard once a whole request on another connection has been answered.
            let marker = try RawPeer(port: server.port)
            try await marker.say("GET /m HTTP/1.1\r\nhost: x\r\n\r\n")
            _ = try await marker.hear(upTo: "/m")
            try await second.say(head + String(repeating: "a", count: 600))
            #expect(try await second.hearAll().hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            try await first.say(String(repeating: "a", count: 300))
            #expect(try await first.hear(upTo: "aaa").hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func `what the server refuses is worded by the handler`() async throws {
        struct Wording: WireHandler {
            func respond(to request: WireRequest) async -> WireResponse { WireResponse() }
            func refusal(status: Int, reason: String, path: String) -> WireResponse {
                WireResponse(status: status, body: Array("{\(status) \(reason) \(path)}".utf8))
            }
        }
        var limits = WireLimits()
        limits.bodyBytes = 5
        try await serving(limits: limits, handler: Wording()) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("PUT /p HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n")
            #expect(try await peer.hearAll().hasSuffix("{413 body over 5 bytes /p}"))
            let second = try RawPeer(port: server.port)
            try await second.say("what\r\n\r\n")
            #expect(try await second.hearAll().hasSuffix("{400 request line wants method, target and version }"))
            let third = try await FramePeer(port: server.port)
            try await third.say(.head(1, [(":method", "PUT"), (":scheme", "http"), (":path", "/q"), (":authority", "x")], ends: false))
            try await third.say(.data(1, [1, 2, 3, 4, 5, 6]))
            #expect(try await third.hear(type: 0).payload == Array("{413 body over 5 bytes /q}".utf8))
        }
    }
}
