// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing

@testable import Wire

/// Much at once, in an order that nobody chose. What is asked for is only that nothing breaks and nothing is left over.
struct TurmoilTests {
    @Test func `calls that are cancelled, late, refused or fine leave nothing behind`() async throws {
        var limits = WireLimits()
        limits.streamsPerConnection = 5
        limits.bodyBytes = 2000
        let loops = try WireLoops(count: 2)
        let upstreams = GRPCUpstreams(loops: loops)
        try await serving(
            loops: 2, limits: limits,
            answer: { request in
                if request.body.count.isMultiple(of: 3) { try? await Task.sleep(for: .milliseconds(request.body.count % 20)) }
                return .grpc(message: request.body)
            }
        ) { server in
            let address = SocketAddress("127.0.0.1", server.port)
            await withTaskGroup(of: Void.self) { group in
                for i in 0..<600 {
                    group.addTask {
                        let message = [UInt8](repeating: 0, count: i * 7 % 2100)
                        let deadline = ContinuousClock.now + (i % 5 == 0 ? .milliseconds(i % 30) : .seconds(20))
                        // How each ends is not the question.
                        _ = try? await upstreams.unary(to: address, path: "/", message: message, deadline: deadline)
                    }
                    if i == 300 {
                        group.cancelAll()
                        await Task.yield()
                    }
                }
            }
            let last = try await upstreams.unary(to: address, path: "/", message: [1], deadline: .now + .seconds(20))
            #expect(last.message.count == 6)
            #expect(upstreams.statistics.callsInFlight == 0)
        }
    }

    @Test func `frames of nonsense end their connection and nothing else`() async throws {
        try await serving(answer: { _ in WireResponse(body: Array("well".utf8)) }) { server in
            var random = SystemRandomNumberGenerator()
            for _ in 0..<50 {
                let peer = try RawPeer(port: server.port)
                var bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
                for _ in 0..<20 {
                    let count = UInt8.random(in: 0...40, using: &random)
                    bytes += [0, 0, count, .random(in: 0...10, using: &random), .random(in: 0...255, using: &random)]
                    bytes += [0, 0, 0, .random(in: 0...9, using: &random)]
                    bytes += (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                }
                // The server may have hung up in the middle.
                try? await peer.say(bytes)
            }
            let peer = try RawPeer(port: server.port)
            try await peer.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            _ = try await peer.hear(upTo: "well")
        }
    }
}
