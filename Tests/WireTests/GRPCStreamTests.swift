// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Synchronization
import Testing

@testable import Wire

/// Streams what is asked for under `/stream`, and nothing else.
private struct Streaming: WireHandler {
    let streaming: GRPCStreaming

    func respond(to request: WireRequest) async -> WireResponse { .grpc(message: Array("unary".utf8)) }
    func stream(for head: WireRequest) -> GRPCStreaming? { head.path == "/stream" ? streaming : nil }
}

private func streaming(
    limits: WireLimits = WireLimits(), _ streaming: @escaping GRPCStreaming, _ body: (WireServer) async throws -> Void
) async throws {
    try await serving(limits: limits, handler: Streaming(streaming: streaming)) { try await body($0) }
}

/// Gives every message back, behind its length.
private let echo: GRPCStreaming = { stream in
    do throws(GRPCStatus) {
        while let message = try await stream.next() { try await stream.send(message + [UInt8(truncatingIfNeeded: message.count)]) }
        stream.trailers = ["x-end": "here"]
        return GRPCStatus(.ok, "")
    } catch {
        return error
    }
}

struct GRPCStreamTests {
    @Test func `messages come back one by one while the caller still sends, then the status`() async throws {
        try await streaming(echo) { server in
            let peer = try await FramePeer(port: server.port)
            try await peer.say(.call(1, "/stream"), .data(1, framed([7])))
            #expect(try await peer.hear(type: 0).payload == framed([7, 1]))
            // Two messages in one frame, and one cut into bytes.
            try await peer.say(.data(1, framed([]) + framed([1, 2])))
            for byte in framed([5, 6, 7]) { try await peer.say(.data(1, [byte])) }
            try await peer.say(.data(1, [], ends: true))
            let rest = try await peer.hearStream(1)
            #expect(rest.data == framed([0]) + framed([1, 2, 2]) + framed([5, 6, 7, 3]))
            #expect(rest.reset == nil)
            #expect(server.statistics.requestsInFlight == 0)
        }
    }

    @Test func `a call that is not streamed is answered as ever, and the head tells which is which`() async throws {
        try await streaming(echo) { server in
            let upstreams = GRPCUpstreams(loops: try WireLoops(count: 1))
            let address = SocketAddress("127.0.0.1", server.port)
            let unary = try await upstreams.unary(to: address, path: "/unary", message: [1], deadline: .now + .seconds(20))
            #expect(unary.message.elementsEqual("unary".utf8))
            let streamed = try await upstreams.unary(to: address, path: "/stream", message: [1], deadline: .now + .seconds(20))
            #expect(streamed.message == [1, 1] && streamed.trailers["x-end"] == "here")
        }
    }

    @Test func `a message larger than every window arrives whole`() async throws {
        try await streaming(echo) { server in
            let upstreams = GRPCUpstreams(loops: try WireLoops(count: 1))
            let message = [UInt8](repeating: 3, count: 3_000_000)
            let reply = try await upstreams.unary(
                to: SocketAddress("127.0.0.1", server.port), path: "/stream", message: message, deadline: .now + .seconds(20))
            #expect(reply.message == (message + [UInt8(truncatingIfNeeded: 3_000_000)])[...])
        }
    }

    @Test func `a caller ahead of the handler finds the window shut until messages are taken`() async throws {
        let gate = Tally()
        let taken = Tally()
        try await streaming({ stream in
            try? await gate.reaches(1)
            while let message = try? await stream.next(), !message.isEmpty { taken.add() }
            return GRPCStatus(.ok, "")
        }) { server in
            let peer = try await FramePeer(port: server.port)
            let frame = Frame.data(1, framed([UInt8](repeating: 1, count: 16_379)))
            try await peer.say([.call(1, "/stream")] + Array(repeating: frame, count: 16))
            // The whole window is used and the handler has taken nothing: only the connection's window opens.
            try await peer.say(.get(3))
            var windows: [Int] = []
            while true {
                let heard = try await peer.hear()
                if heard.type == 8 { windows.append(heard.stream) }
                if heard.type == 1 { break }
            }
            #expect(!windows.contains(1))
            gate.add()
            try await taken.reaches(16)
            while try await peer.hear(type: 8).stream != 1 {}
            try await peer.say(.data(1, framed([]), ends: true))
            #expect(try await peer.hearStream(1).reset == nil)
        }
    }

    @Test func `a caller that does not read makes send wait, and is given up in time`() async throws {
        var limits = WireLimits()
        limits.requestTimeout = .milliseconds(200)
        let sent = Tally()
        let ended = Tally()
        try await streaming(
            limits: limits,
            { stream in
                while (try? await stream.send([UInt8](repeating: 1, count: 10_000))) != nil { sent.add() }
                ended.add()
                return GRPCStatus(.ok, "")
            }
        ) { server in
            // A window of nothing.
            let peer = try await FramePeer(port: server.port, settings: [(4, 0)])
            try await peer.say(.call(1, "/stream", ends: true))
            #expect(try await peer.hearStream(1).reset == 8)
            try await ended.reaches(1)
            #expect(sent.count <= 7)
        }
    }

    @Test func `a caller that resets cancels the handler, which waits for a message or for room`() async throws {
        let started = Tally()
        let ended = Tally()
        try await streaming({ stream in
            started.add()
            if stream.request.headers["x-send"] != nil {
                while (try? await stream.send([UInt8](repeating: 1, count: 10_000))) != nil {}
            } else {
                while (try? await stream.next()) != nil {}
            }
            #expect(Task.isCancelled)
            ended.add()
            return GRPCStatus(.ok, "")
        }) { server in
            let peer = try await FramePeer(port: server.port)
            try await peer.say(.call(1, "/stream"), .call(3, "/stream", [("x-send", "1")]))
            try await started.reaches(2)
            try await peer.say(.reset(1), .reset(3))
            try await ended.reaches(2)
            #expect(server.statistics.requestsAbandoned == 2)
        }
    }

    @Test func `the deadline ends a stream with its code`() async throws {
        try await streaming(echo) { server in
            let peer = try await FramePeer(port: server.port)
            try await peer.say(.call(1, "/stream", [("grpc-timeout", "100m")]), .data(1, framed([9])))
            let heard = try await peer.hearStream(1)
            #expect(heard.data == framed([9, 1]) && heard.reset == nil)
            #expect(server.statistics.requestsTimedOut == 1)
        }
    }

    @Test(
        arguments: [
            ([1, 0, 0, 0, 1, 0], GRPCCode.unimplemented), ([9, 0, 0, 0, 1, 0], .internal), ([0, 0, 0, 0, 101], .resourceExhausted),
            ([0, 0, 0, 0, 2, 1], .internal), ([0, 255, 255, 255, 255], .resourceExhausted),
        ] as [([UInt8], GRPCCode)])
    func `a broken or oversized message is told to the handler`(bytes: [UInt8], code: GRPCCode) async throws {
        var limits = WireLimits()
        limits.bodyBytes = 100
        let found = Mutex<GRPCCode?>(nil)
        try await streaming(
            limits: limits,
            { stream in
                let status = await echo(stream)
                found.withLock { $0 = status.code }
                return status
            }
        ) { server in
            let peer = try await FramePeer(port: server.port)
            try await peer.say(.call(1, "/stream"), .data(1, bytes, ends: true))
            _ = try await peer.hearStream(1)
            #expect(found.withLock { $0 } == code)
        }
    }

    @Test func `messages that wait count among the bodies that the server holds`() async throws {
        var limits = WireLimits()
        limits.heldBytes = 10_000
        let gate = Tally()
        try await streaming(
            limits: limits,
            { stream in
                try? await gate.reaches(1)
                return GRPCStatus(.ok, "")
            }
        ) { server in
            let peer = try await FramePeer(port: server.port)
            try await peer.say(.call(1, "/stream"), .data(1, framed([UInt8](repeating: 0, count: 12_000))))
            _ = try await peer.hearStream(1)
            #expect(server.statistics.requestsRejected == 1)
            gate.add()
        }
    }

    @Test func `a long stream whose caller pings with every message is not taken for an attack`() async throws {
        try await streaming(echo) { server in
            let peer = try await FramePeer(port: server.port)
            let ping = Frame(type: 6, payload: [UInt8](repeating: 0, count: 8))
            try await peer.say(.call(1, "/stream"))
            for _ in 0..<30 {
                try await peer.say((0..<100).flatMap { _ in [.data(1, framed([1])), ping] })
                for _ in 0..<100 { _ = try await peer.hear(type: 6) }
            }
            try await peer.say(.data(1, [], ends: true))
            #expect(try await peer.hearStream(1).reset == nil)
        }
    }
}
