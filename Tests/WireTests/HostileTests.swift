// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
import Glibc
import LoopbackTesting
import Testing

@testable import Wire

@Sendable private func answer(_ request: WireRequest) async -> WireResponse {
    WireResponse(body: request.path == "/big" ? [UInt8](repeating: 7, count: 1_000_000) : Array("well".utf8))
}

/// Another caller, who must not suffer.
private func bystander(_ server: WireServer) async throws {
    let peer = try RawPeer(port: server.port)
    try await peer.say("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    #expect(try await peer.hearAll().hasSuffix("well"))
}

/// A peer that only talks, until the server hangs up. Its last frames, if any, are what the server said.
private func flooding(_ server: WireServer, with frames: [Frame], settings: [(Int, Int)] = []) async throws -> [Frame] {
    let peer = try await FramePeer(port: server.port, settings: settings)
    // The server may hang up in the middle.
    try? await peer.say(frames)
    var heard: [Frame] = []
    while let frame = try? await peer.hear() { heard.append(frame) }
    return heard
}

private let enhanceYourCalm: [UInt8] = [0, 0, 0, 11]

struct HostileTests {
    @Test func `two hundred slow heads and bodies keep nobody waiting, and are given up`() async throws {
        var limits = WireLimits()
        limits.headTimeout = .seconds(1)
        limits.requestTimeout = .seconds(1)
        try await serving(loops: 2, limits: limits, answer: answer) { server in
            var slow: [RawPeer] = []
            for i in 0..<200 {
                let peer = try RawPeer(port: server.port)
                let head = "POST / HTTP/1.1\r\nhost: x\r\n"
                try await peer.say(i.isMultiple(of: 2) ? head : head + "content-length: 16000000\r\n\r\na")
                slow.append(peer)
            }
            try await bystander(server)
            for peer in slow { #expect(try await peer.hearAll().hasPrefix("HTTP/1.1 408 Request Timeout\r\n")) }
            #expect(server.statistics.requestsTimedOut == 200)
        }
    }

    @Test func `rapid reset: streams opened and reset without end close their connection`() async throws {
        let ran = Tally()
        try await serving(answer: { request in
            ran.add()
            // Longer than the attack.
            if request.isHTTP2 { try? await Task.sleep(for: .seconds(20)) }
            return await answer(request)
        }) { server in
            let attack = (0..<10_000).flatMap { [Frame.get(2 * $0 + 1), .reset(2 * $0 + 1)] }
            let heard = try await flooding(server, with: attack)
            #expect(heard.last.map { $0.type == 7 && Array($0.payload[4..<8]) == enhanceYourCalm } ?? true)
            try await bystander(server)
            // What one read of the socket may bring, no more.
            #expect(ran.count < 3000)
            #expect(await isEmpty(server))
            #expect(server.statistics.requestsInFlight == 0)
        }
    }

    @Test func `resets that the server is tricked into count as well`() async throws {
        try await serving(answer: { _ in
            try? await Task.sleep(for: .seconds(20))
            return WireResponse()
        }) { server in
            // A window update of nothing is an error of the stream.
            let attack = (0..<5000).flatMap { [Frame.get(2 * $0 + 1), .window(2 * $0 + 1, 0)] }
            _ = try await flooding(server, with: attack)
            #expect(await isEmpty(server))
        }
    }

    @Test func `continuation flood: a head without end closes its connection`() async throws {
        try await serving(answer: answer) { server in
            var attack = [Frame(type: 1, stream: 1, payload: Frame.block([(":method", "GET")]))]
            attack += (0..<1000).map { _ in Frame(type: 9, stream: 1, payload: Frame.block([("x", "y")])) }
            _ = try await flooding(server, with: attack)
            #expect(await isEmpty(server))
            try await bystander(server)
        }
    }

    @Test(arguments: [
        Frame.settings([(4, 70_000)]), Frame(type: 6, payload: [UInt8](repeating: 0, count: 8)), Frame.data(1, []),
        Frame(type: 0, flags: 8, stream: 1, payload: [3, 0, 0, 0]), Frame(type: 2, stream: 1, payload: [0, 0, 0, 0, 1]),
    ])
    func `frames that ask for nothing are heard a thousand times, not for ever`(frame: Frame) async throws {
        try await serving(answer: answer) { server in
            let head = Frame.head(1, [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x")], ends: false)
            let heard = try await flooding(server, with: [head] + Array(repeating: frame, count: 20_000))
            #expect(heard.count < 3000)
            #expect(await isEmpty(server))
            try await bystander(server)
        }
    }

    @Test func `who sends pings and reads nothing is not read either, and is cut`() async throws {
        var limits = WireLimits()
        limits.idleTimeout = .milliseconds(200)
        try await serving(limits: limits, answer: answer) { server in
            let peer = try await FramePeer(port: server.port, receiveBuffer: 2048)
            // Enough streams refused to fill every buffer on the way with resets.
            let head = Frame.head(1, [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x")], ends: false)
            var attack: [UInt8] = []
            for i in 0..<60_000 { attack += Frame(type: 1, flags: 4, stream: 2 * i + 1, payload: head.payload).bytes }
            try? await peer.raw.say(attack)
            try await bystander(server)
            _ = try? await peer.raw.hearAll()
            #expect(await isEmpty(server))
        }
    }

    @Test(arguments: [true, false]) func `an answer that is not read is bounded in memory and time`(byWindow: Bool) async throws {
        var limits = WireLimits()
        limits.requestTimeout = .milliseconds(300)
        limits.idleTimeout = byWindow ? .seconds(20) : .milliseconds(300)
        limits.heldBytes = 3_000_000
        try await serving(limits: limits, answer: answer) { server in
            let frames = (0..<10).map { Frame.get(2 * $0 + 1, "/big") }
            let settings = byWindow ? [(4, 0)] : [(4, 1 << 24)]
            let peer = try await FramePeer(port: server.port, settings: settings, receiveBuffer: 2048)
            try await peer.say([Frame.window(0, 1 << 24)] + frames)
            if byWindow {
                // Two or three are kept, for the others there is no room; all end in time.
                var ends: [Int: UInt8] = [:]
                while ends.count < 10 {
                    let frame = try await peer.hear()
                    if frame.type == 3 { ends[frame.stream] = frame.payload[3] }
                }
                #expect(ends.values.allSatisfy { $0 == 8 })
            } else {
                // How much the kernel takes is its own affair; the rest is cut.
                _ = try? await peer.raw.hearAll()
                #expect(await isEmpty(server))
            }
            try await bystander(server)
        }
    }

    @Test func `header compression bombs are refused, and hung up on when they go on`() async throws {
        try await serving(answer: answer) { server in
            // One entry of 4,000 bytes in the table, and then one byte for each time it is meant.
            let head: [(String, String)] = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x")]
            let value = [UInt8](repeating: 120, count: 4000)
            let entry: [UInt8] = [0x40, 1, 120, 127] + [UInt8((4000 - 127) & 127) | 128, UInt8((4000 - 127) >> 7)] + value
            let few = Frame.block(head) + entry + [UInt8](repeating: 0xBE, count: 12)
            let many = Frame.block(head) + [UInt8](repeating: 0xBE, count: 10_000)
            let peer = try await FramePeer(port: server.port)
            try await peer.say(Frame(type: 1, flags: 5, stream: 1, payload: few))
            #expect(try await String(decoding: peer.hearStream(1).data, as: UTF8.self) == "head over 32768 bytes\n")
            try await peer.say(Frame(type: 1, flags: 5, stream: 3, payload: many))
            #expect(try await Array(peer.hear(type: 7).payload[4..<8]) == enhanceYourCalm)
            try await bystander(server)
        }
    }

    @Test func `fields after an HTTP/2 body change nothing in its head`() async throws {
        try await serving(answer: { WireResponse(body: Array(($0.headers["x-trailer"] ?? "none").utf8)) }) { server in
            let peer = try await FramePeer(port: server.port)
            let head = Frame.head(1, [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "x")], ends: false)
            try await peer.say(head, .data(1, [1]), .head(1, [("x-trailer", "smuggled")], ends: true))
            #expect(try await peer.hearStream(1).data == Array("none".utf8))
        }
    }

    @Test func `pipelining without reading is bounded, and nobody else waits`() async throws {
        var limits = WireLimits()
        limits.idleTimeout = .milliseconds(300)
        try await serving(limits: limits, answer: answer) { server in
            let peer = try RawPeer(port: server.port, receiveBuffer: 2048)
            let flood = Array(String(repeating: "GET /big HTTP/1.1\r\nhost: x\r\n\r\n", count: 1_000_000).utf8)
            try? await peer.say(flood)
            try await bystander(server)
            // As many answers as fit into the kernel's buffers and one more.
            #expect(server.statistics.requests < 20)
            #expect(server.statistics.connectionsOpen <= 1)
        }
    }

    @Test func `heads and pipelined requests count among what the server holds`() async throws {
        var limits = WireLimits()
        limits.heldBytes = 20_000
        let gate = Tally()
        try await serving(
            limits: limits,
            answer: { request in
                if request.path == "/wait" { try? await gate.reaches(1) }
                return await answer(request)
            }
        ) { server in
            let half = try RawPeer(port: server.port)
            try await half.say("GET / HTTP/1.1\r\nhost: x\r\nx: " + String(repeating: "y", count: 25_000))
            #expect(try await half.hearAll().hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            // What is behind a request under way is dropped, the request is not.
            let eager = try RawPeer(port: server.port)
            try await eager.say("GET /wait HTTP/1.1\r\nhost: x\r\n\r\nPOST / HTTP/1.1\r\ncontent-length: 30000\r\n\r\n")
            try await eager.say(String(repeating: "z", count: 30_000))
            gate.add()
            #expect(try await eager.hearAll().hasSuffix("well"))
            try await bystander(server)
        }
    }

    @Test func `requests beyond the number allowed at once are told so, over both versions`() async throws {
        var limits = WireLimits()
        limits.requests = 2
        let started = Tally()
        let gate = Tally()
        try await serving(
            limits: limits,
            answer: { request in
                started.add()
                try? await gate.reaches(1)
                return await answer(request)
            }
        ) { server in
            let peer = try await FramePeer(port: server.port)
            try await peer.say(.get(1), .get(3))
            try await started.reaches(2)
            try await peer.say(.get(5))
            #expect(try await String(decoding: peer.hearStream(5).data, as: UTF8.self) == "too many requests at once\n")
            try await peer.say(.call(7, "/a", ends: true))
            #expect(try await peer.hearStream(7).reset == nil)
            let other = try RawPeer(port: server.port)
            try await other.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try await other.hearAll().hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            gate.add()
            #expect(try await peer.hearStream(3).data == Array("well".utf8))
        }
    }

    @Test func `ten thousand idle connections cost a few KiB each, and the next caller is served`() async throws {
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        files.rlim_cur = files.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        // Both ends are here, and other tests want some.
        let count = min(10_000, (Int(clamping: files.rlim_cur) - 2000) / 2)
        // However slow the machine is today.
        var limits = WireLimits()
        limits.headTimeout = .seconds(600)
        limits.idleTimeout = .seconds(600)
        try await serving(loops: 2, limits: limits, answer: answer) { server in
            let before = try residentBytes()
            var idle: [RawPeer] = []
            for i in 0..<count {
                let peer = try RawPeer(port: server.port)
                if i.isMultiple(of: 10) {
                    try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                    _ = try await peer.hear(upTo: "well")
                }
                idle.append(peer)
            }
            try await bystander(server)
            #expect(server.statistics.connectionsOpen >= count)
            // The peers of the test included, and whatever other tests do meanwhile.
            #expect((try residentBytes() - before) / count < 16_384)
            idle.removeAll()
            #expect(await isEmpty(server))
        }
    }
}

private func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return Int(text.split(separator: " ")[1]).map { $0 * Int(getpagesize()) } ?? 0
}
