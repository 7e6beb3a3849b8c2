// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing

@testable import Wire

struct DrainTests {
    /// A server whose handlers wait at a gate, run beside `body`.
    private func draining(
        limits: WireLimits, started: Tally, gate: Tally, _ body: (WireServer) async throws -> Void
    ) async throws {
        let handler = Answering { request in
            started.add()
            if request.path == "/slow" { try? await gate.reaches(1) }
            return request.isGRPC ? .grpc(message: [1]) : WireResponse(body: Array("done".utf8))
        }
        let server = WireServer(
            address: "127.0.0.1", port: 0, loops: try WireLoops(count: 2), limits: limits, handler: handler, logger: quiet)
        try server.bind()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body(server)
            // The server ends by itself: nothing here cancels it.
            try await group.waitForAll()
        }
        #expect(server.statistics.connectionsOpen == 0)
    }

    private func graceful(_ grace: Duration) -> WireLimits {
        var limits = WireLimits()
        limits.drainGrace = grace
        return limits
    }

    @Test func `what is in flight is answered, and told that the connection ends`() async throws {
        let started = Tally()
        let gate = Tally()
        try await draining(limits: graceful(.zero), started: started, gate: gate) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
            try await started.reaches(1)
            await drain(server)
            gate.add()
            let answer = try await peer.hearAll()
            #expect(answer.contains("connection: close\r\n") && answer.hasSuffix("done"))
        }
    }

    @Test func `an idle connection may ask once more during the grace`() async throws {
        let started = Tally()
        try await draining(limits: graceful(.seconds(20)), started: started, gate: Tally()) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try await !peer.hear(upTo: "done").contains("connection: close"))
            server.beginDrain()
            try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try await peer.hearAll().contains("connection: close"))
        }
    }

    @Test func `an idle connection is closed after the grace`() async throws {
        try await draining(limits: graceful(.milliseconds(50)), started: Tally(), gate: Tally()) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            _ = try await peer.hear(upTo: "done")
            server.beginDrain()
            #expect(try await peer.hearAll() == "")
        }
    }

    @Test func `the deadline cuts what does not end`() async throws {
        let started = Tally()
        try await draining(limits: graceful(.zero), started: started, gate: Tally()) { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
            try await started.reaches(1)
            server.beginDrain(within: .milliseconds(50))
            #expect(try await peer.hearAll() == "")
        }
    }

    @Test func `a gRPC call in flight ends well, and the next finds the door closed before it is sent`() async throws {
        let started = Tally()
        let gate = Tally()
        try await draining(limits: graceful(.zero), started: started, gate: gate) { server in
            let upstreams = GRPCUpstreams(loops: try WireLoops(count: 1))
            let address = SocketAddress("127.0.0.1", server.port)
            async let reply = upstreams.unary(to: address, path: "/slow", message: [], deadline: .now + .seconds(20))
            try await started.reaches(1)
            await drain(server)
            gate.add()
            #expect(try await reply.message == [1])
            await #expect {
                _ = try await upstreams.unary(to: address, path: "/", message: [], deadline: .now + .seconds(20))
            } throws: { error in
                if case .notSent? = error as? UpstreamError { true } else { false }
            }
        }
    }

    @Test func `cancelling the server cuts at once`() async throws {
        let started = Tally()
        try await serving { _ in
            started.add()
            try? await Task.sleep(for: .seconds(20))
            return WireResponse()
        } _: { server in
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            try await started.reaches(1)
        }
    }
}
