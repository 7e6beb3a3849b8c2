// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing
import Transport

struct ExchangeTests {
    @Test func `a request arrives as written and its answer comes back`() async throws {
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { _ in
            LoopbackAnswer(201, headers: [("X-Made", "yes"), ("Empty", "")], "whole")
        }
        try await withServer(answer) { server, transport in
            let headers = [Header("Content-Type", "text/plain"), Header("X-Empty", "")]
            let response = try await transport.send(
                request("PATCH", server.url("/a/b?c=d&e"), headers: headers, body: .bytes(Array("body".utf8))))
            #expect(response.status == 201)
            #expect(response.header("x-made") == "yes")
            #expect(response.header("empty") == "")
            #expect(response.header("absent") == nil)
            #expect(try await response.collect(upTo: 5) == Array("whole".utf8))
            let seen = try #require(server.seen.first)
            #expect(seen.method == "PATCH")
            #expect(seen.target == "/a/b?c=d&e")
            #expect(seen.text == "body")
            #expect(seen.header("content-length") == "4")
            #expect(seen.header("content-type") == "text/plain")
            #expect(seen.header("x-empty") == "")
            #expect(seen.header("expect") == nil)
        }
    }

    @Test(arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    func `a request without a body says so where it must`(method: String) async throws {
        try await withServer({ _ in LoopbackAnswer(200, "x") }) { server, transport in
            let response = try await transport.send(request(method, server.url("/")))
            #expect(try await response.collect(upTo: 10).count == (method == "HEAD" ? 0 : 1))
            let seen = try #require(server.seen.first)
            #expect(seen.method == method)
            #expect(seen.header("content-length") == (["POST", "PUT", "PATCH"].contains(method) ? "0" : nil))
        }
    }

    @Test func `a connection is kept for the next request`() async throws {
        try await withServer({ _ in LoopbackAnswer(200, "x") }) { server, transport in
            for _ in 0..<5 { _ = try await transport.send(request(server.url())).collect(upTo: 10) }
            #expect(server.connections.count == 1)
            #expect(server.requests.count == 5)
        }
    }

    @Test func `a connection that the peer closed meanwhile is replaced`() async throws {
        try await withServer({ _ in LoopbackAnswer(200, "x") }) { server, transport in
            for round in 1...3 {
                _ = try await transport.send(request("POST", server.url(), body: .bytes([1]))).collect(upTo: 10)
                server.dropConnections()
                try await server.departures.reaches(round)
            }
            #expect(server.requests.count == 3)
        }
    }

    @Test func `many at once share few connections, and each gets its own answer`() async throws {
        try await withServer(connections: 4, { LoopbackAnswer(200, $0.target) }) { server, transport in
            // The second round is served by what the first one left behind.
            for _ in 0..<2 {
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<300 {
                        let order = request("POST", server.url("/\(number)"), body: .bytes([1]))
                        group.addTask {
                            let body = try await transport.send(order).collect(upTo: 100)
                            return String(decoding: body, as: UTF8.self) == "/\(number)"
                        }
                    }
                    var right = 0
                    for try await isRight in group where isRight { right += 1 }
                    #expect(right == 300)
                }
            }
            #expect(server.connections.count <= 4)
        }
    }

    @Test func `a body longer than its limit is refused and its transfer ends`() async throws {
        try await withServer({ _ in .chunked([.text("too long"), .hang]) }) { server, transport in
            let response = try await transport.send(request(server.url()))
            await #expect(throws: TransportError.tooLarge(limit: 7)) { try await response.collect(upTo: 7) }
            try await server.departures.reaches(1)
        }
    }

    @Test(arguments: [
        TransportRequest(url: "file:///etc/passwd"),
        TransportRequest(url: "/relative"),
        TransportRequest(url: "http://127.0.0.1:1/a\nb"),
        TransportRequest(method: "GET /", url: "http://127.0.0.1:1/"),
        TransportRequest(url: "http://127.0.0.1:1/", headers: [Header("Bad Name", "x")]),
        TransportRequest(url: "http://127.0.0.1:1/", headers: [Header("X", "a\r\nY: b")]),
    ])
    func `what could become another request is not sent`(order: TransportRequest) async throws {
        let transport = CurlTransport(name: "test")
        defer { transport.shutdown() }
        let error = await #expect(throws: TransportError.self) { try await transport.send(order) }
        guard case .invalidRequest = error else { throw error ?? .cancelled }
    }

    @Test func `an error names the host and nothing secret`() async throws {
        let server = try LoopbackServer { _ in .silence }
        server.stop()
        let transport = CurlTransport(name: "test")
        defer { transport.shutdown() }
        let error = await #expect(throws: TransportError.self) {
            try await transport.send(request("GET", "http://user:secret@127.0.0.1:\(server.port)/path?token=secret"))
        }
        guard case .connectFailed(let host, _) = error else { throw error ?? .cancelled }
        #expect(host == "127.0.0.1:\(server.port)")
        #expect(error?.description.contains("secret") == false)
    }
}
