// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing

@testable import Wire

/// Gives the message back.
private func echo(_ request: WireRequest) async -> WireResponse {
    do throws(GRPCStatus) {
        return .grpc(message: try request.grpcMessage(), trailers: ["x-path": request.path])
    } catch {
        return .grpc(status: error)
    }
}

/// A server, upstreams with loops of their own, and the way to call one with the other.
private func calling(
    loops: Int = 1, limits: WireLimits = WireLimits(), upstream: UpstreamLimits = UpstreamLimits(),
    answer: @escaping @Sendable (WireRequest) async -> WireResponse, _ body: (WireServer, Caller) async throws -> Void
) async throws {
    try await serving(loops: loops, limits: limits, answer: answer) { server in
        let upstreams = GRPCUpstreams(loops: try WireLoops(count: 1), limits: upstream)
        try await body(server, Caller(upstreams: upstreams, address: SocketAddress("127.0.0.1", server.port)))
    }
}

private struct Caller {
    var upstreams: GRPCUpstreams
    var address: SocketAddress

    func call(
        _ message: [UInt8] = [1, 2, 3], metadata: WireHeaders = [:], within limit: Duration = .seconds(20)
    ) async throws(UpstreamError) -> GRPCReply {
        try await upstreams.unary(to: address, path: "/a.B/C", metadata: metadata, message: message, deadline: .now + limit)
    }
}

struct GRPCTests {
    @Test func `a message and its metadata go there and back`() async throws {
        try await calling(answer: { request in
            .grpc(
                message: request.body[5...], metadata: ["x-seen": request.headers["x-sent"] ?? "nothing"],
                trailers: ["x-host": request.headers["host"] ?? ""])
        }) { server, caller in
            let reply = try await caller.call([9, 8, 7], metadata: ["X-Sent": "täg", "connection": "close"])
            #expect(reply.message == [9, 8, 7])
            #expect(reply.metadata["x-seen"] == "täg")
            #expect(reply.trailers["x-host"] == "127.0.0.1:\(server.port)")
            #expect(reply.trailers["grpc-status"] == "0")
        }
    }

    @Test(arguments: [0, 16_379, 70_000, 5_000_000]) func `a message of any size passes the windows`(size: Int) async throws {
        try await calling(answer: echo) { _, caller in
            let message = [UInt8](repeating: 31, count: size)
            let reply = try await caller.call(message)
            #expect(reply.message == message[...])
        }
    }

    @Test func `a thousand calls at once share few connections and keep to the streams allowed`() async throws {
        var limits = WireLimits()
        limits.streamsPerConnection = 7
        let busy = Tally()
        try await calling(
            loops: 2, limits: limits,
            answer: { request in
                busy.add()
                await Task.yield()
                return await echo(request)
            }
        ) { server, caller in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for i in 0..<1000 {
                    let message = [UInt8(truncatingIfNeeded: i), UInt8(truncatingIfNeeded: i >> 8)]
                    group.addTask { try await caller.call(message).message.elementsEqual(message) }
                }
                for try await isSame in group { #expect(isSame) }
            }
            #expect(server.statistics.connectionsAccepted <= 4)
            #expect(server.statistics.requests == 1000)
            #expect(caller.upstreams.statistics.callsInFlight == 0)
        }
    }

    @Test func `a refusal arrives with its code and its sentence`() async throws {
        try await calling(answer: { _ in .grpc(status: GRPCStatus(.invalidArgument, "field \"ä\"\nwants int64")) }) { _, caller in
            await #expect(throws: UpstreamError.refused(GRPCStatus(.invalidArgument, "field \"ä\"\nwants int64"))) {
                _ = try await caller.call()
            }
        }
    }

    @Test func `a peer that speaks no gRPC is understood by its HTTP status`() async throws {
        try await calling(answer: { _ in WireResponse(status: 503, text: "no") }) { _, caller in
            await #expect(throws: UpstreamError.refused(GRPCStatus(.unavailable, "peer answered with HTTP status 503"))) {
                _ = try await caller.call()
            }
        }
    }

    @Test func `a cancelled call ends at once and cancels the handler`() async throws {
        let started = Tally()
        let cancelled = Tally()
        try await calling(answer: { _ in
            started.add()
            do { try await Task.sleep(for: .seconds(20)) } catch { cancelled.add() }
            return WireResponse()
        }) { server, caller in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await #expect(throws: UpstreamError.cancelled) { _ = try await caller.call() } }
                await #expect(throws: Never.self) { try await started.reaches(1) }
                group.cancelAll()
            }
            try await cancelled.reaches(1)
            #expect(server.statistics.requestsAbandoned == 1)
            // The connection is as good as before.
            #expect(caller.upstreams.statistics.connectionsOpen == 1)
        }
    }

    @Test func `a deadline goes along, and ends the call on both sides`() async throws {
        let cancelled = Tally()
        try await calling(answer: { request in
            guard request.headers["x-wait"] != nil else { return await echo(request) }
            #expect(request.deadline < .now + .seconds(1))
            do { try await Task.sleep(for: .seconds(20)) } catch { cancelled.add() }
            return WireResponse()
        }) { server, caller in
            // A connection that stands already, so that the deadline is for the handler alone.
            _ = try await caller.call()
            await #expect { _ = try await caller.call(metadata: ["x-wait": ""], within: .milliseconds(500)) } throws: { error in
                // Whoever is first: our own clock, or the peer's.
                switch error as? UpstreamError {
                case .deadlineExceeded?: true
                case .refused(let status)?: status.code == .deadlineExceeded
                default: false
                }
            }
            try await cancelled.reaches(1)
        }
    }

    @Test func `a body or a head over the limit is refused as exhausted, and the connection lives on`() async throws {
        var limits = WireLimits()
        limits.bodyBytes = 100
        limits.headBytes = 1000
        try await calling(limits: limits, answer: echo) { server, caller in
            await #expect(throws: UpstreamError.refused(GRPCStatus(.resourceExhausted, "body over 100 bytes"))) {
                _ = try await caller.call([UInt8](repeating: 1, count: 300_000))
            }
            await #expect(throws: UpstreamError.refused(GRPCStatus(.resourceExhausted, "head over 1000 bytes"))) {
                _ = try await caller.call(metadata: ["x": String(repeating: "y", count: 2000)])
            }
            let reply = try await caller.call()
            #expect(reply.message == [1, 2, 3])
            #expect(server.statistics.connectionsAccepted == 1)
            #expect(server.statistics.requestsRejected == 2)
        }
    }

    @Test func `an answer over the limit is given up`() async throws {
        var upstream = UpstreamLimits()
        upstream.responseBytes = 1000
        try await calling(upstream: upstream, answer: { _ in .grpc(message: [UInt8](repeating: 0, count: 1001)) }) { _, caller in
            await #expect(throws: UpstreamError.tooLarge(limit: 1000)) { _ = try await caller.call() }
        }
    }

    @Test func `a call from a handler stays on the handler's thread`() async throws {
        let loops = try WireLoops(count: 2)
        let upstreams = GRPCUpstreams(loops: loops)
        try await serving(answer: echo) { back in
            let address = SocketAddress("127.0.0.1", back.port)
            let front = WireServer(
                address: "127.0.0.1", port: 0, loops: loops,
                handler: Answering { request in
                    let before = loops.current?.index
                    for _ in 0..<5 {
                        let reply = try? await upstreams.unary(to: address, path: "/", message: request.body, deadline: request.deadline)
                        #expect(reply?.message.elementsEqual(request.body) == true)
                        #expect(before != nil && loops.current?.index == before)
                    }
                    return WireResponse(body: Array("same".utf8))
                }, logger: quiet)
            try front.bind()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await front.run() }
                for _ in 0..<10 {
                    let peer = try RawPeer(port: front.port)
                    try await peer.say("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi")
                    #expect(try await peer.hearAll().hasSuffix("same"))
                }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }
}
