// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing
import Transport

struct StreamTests {
    /// What may be on the way beside our own 256 KiB: the kernel's buffers on both sides.
    private let slack = 16 << 20

    @Test func `a slow reader slows the peer, and gets every byte`() async throws {
        let made = Tally()
        let chunk = [UInt8](repeating: 7, count: 64 << 10)
        let total = 1024
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { seen in
            guard seen.path == "/large" else { return LoopbackAnswer(200, "small") }
            let pieces = LoopbackAnswer.Piece.produced {
                guard made.count < total else { return nil }
                made.add()
                return chunk
            }
            return .chunked([pieces])
        }
        try await withServer(answer) { server, transport in
            let response = try await transport.send(request(server.url("/large")))
            // Work for the loop, in which a transfer without a bound would read on.
            for _ in 0..<100 { _ = try await transport.send(request(server.url("/small"))).collect(upTo: 100) }
            #expect(made.count * chunk.count < slack)
            var read = 0
            for try await bytes in response.body {
                read += bytes.count
                #expect(bytes.count <= 64 << 10)
            }
            #expect(read == total * chunk.count)
        }
    }

    @Test func `a reader that is slow is not an idle peer`() async throws {
        let large = [UInt8](repeating: 1, count: 4 << 20)
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { seen in
            seen.path == "/large" ? LoopbackAnswer(pieces: [.bytes(large)]) : .silence
        }
        try await withServer(answer) { server, transport in
            let response = try await transport.send(request(server.url("/large"), idle: .seconds(1)))
            // The other's patience is our clock: twice as long as the slow reader's.
            let other = request(server.url("/silent"), idle: .seconds(2))
            await #expect(throws: TransportError.self) { try await transport.send(other) }
            #expect(try await response.collect(upTo: large.count) == large)
        }
    }

    @Test(arguments: [nil, 24 * 65_536] as [Int64?])
    func `a streamed body arrives whole`(length: Int64?) async throws {
        let source = Source(chunks: 24)
        try await withServer({ _ in LoopbackAnswer(201) }) { server, transport in
            let response = try await transport.send(request("PUT", server.url(), body: .stream(length: length, source)))
            #expect(response.status == 201)
            let seen = try #require(server.seen.first)
            #expect(seen.body == source.whole)
            #expect(seen.header("content-length") == length.map { "\($0)" })
            #expect(seen.header("transfer-encoding") == (length == nil ? "chunked" : nil))
        }
    }

    @Test func `a streamed body of nothing is a body of no bytes`() async throws {
        try await withServer({ _ in LoopbackAnswer(201) }) { server, transport in
            _ = try await transport.send(request("PUT", server.url(), body: .stream(length: nil, Source(chunks: 0))))
            #expect(server.seen.first?.body == [])
        }
    }

    @Test func `a body is taken from its source no faster than the peer reads`() async throws {
        let source = Source(chunks: 1024)
        let gate = Gate()
        try await withServer({ _ in LoopbackAnswer(200, "small") }) { other, transport in
            try await withServer(readsBodies: gate, { _ in LoopbackAnswer(201) }) { server, _ in
                async let answer = transport.send(request("PUT", server.url(), body: .stream(length: nil, source)))
                try await source.taken.reaches(4)
                for _ in 0..<100 { _ = try await transport.send(request(other.url())).collect(upTo: 100) }
                #expect(source.taken.count * source.size < slack)
                gate.open()
                #expect(try await answer.status == 201)
                #expect(server.seen.first?.body.count == 1024 * source.size)
            }
        }
    }

    @Test func `a source that breaks breaks the request with its own error`() async throws {
        try await withServer({ _ in LoopbackAnswer(201) }) { server, transport in
            let source = Source(chunks: 3, breaksAfter: server.connections)
            await #expect(throws: Source.Broken.self) {
                try await transport.send(request("PUT", server.url(), body: .stream(length: nil, source)))
            }
            try await server.departures.reaches(1)
            #expect(server.requests.count == 0)
        }
    }

    @Test func `a source shorter than promised is not a whole request`() async throws {
        try await withServer({ _ in LoopbackAnswer(201) }) { server, transport in
            let source = Source(chunks: 1, size: 10)
            let order = request("PUT", server.url(), body: .stream(length: 20, source), idle: .milliseconds(500))
            await #expect(throws: TransportError.self) { try await transport.send(order) }
            #expect(server.requests.count == 0)
        }
    }

    @Test func `a refusal in the middle of an upload ends the upload and is the answer`() async throws {
        let early: @Sendable (LoopbackRequest) -> LoopbackAnswer? = { _ in LoopbackAnswer(401, "who are you") }
        try await withServer(early: early, { _ in .silence }) { server, transport in
            let source = Source(chunks: .max)
            let response = try await transport.send(request("PUT", server.url(), body: .stream(length: nil, source)))
            #expect(response.status == 401)
            #expect(try await response.collect(upTo: 100) == Array("who are you".utf8))
        }
    }

    @Test func `one answer's body can be another request's`() async throws {
        let bytes = Source.chunk(3, size: 3 << 20)
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { seen in
            seen.method == "GET" ? LoopbackAnswer(200, pieces: [.bytes(bytes)]) : LoopbackAnswer(201)
        }
        try await withServer(answer) { server, transport in
            let source = try await transport.send(request(server.url("/from")))
            _ = try await transport.send(request("PUT", server.url("/to"), body: .stream(length: Int64(bytes.count), source.body)))
            #expect(server.seen.last?.body == bytes)
        }
    }
}
