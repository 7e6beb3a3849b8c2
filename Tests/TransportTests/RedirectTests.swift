// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing

@testable import Transport

struct RedirectTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var status = 302
        var method = "GET"
        var from = "https://a.example/x/y?q"
        var location: String
        var expected: String?
        var expectedMethod = "GET"
        var keepsCredentials = true
    }

    static let followed: [Row] = [
        Row(testDescription: "a path of the same host", location: "/z", expected: "https://a.example/z"),
        Row(testDescription: "a path beside this one", location: "z?r=1", expected: "https://a.example/x/z?r=1"),
        Row(
            testDescription: "another host loses the credentials", location: "https://b.example/z", expected: "https://b.example/z",
            keepsCredentials: false),
        Row(
            testDescription: "another port loses them too", location: "https://a.example:8443/z", expected: "https://a.example:8443/z",
            keepsCredentials: false),
        Row(
            testDescription: "the default port is the same origin", location: "https://A.example:443/z", expected: "https://A.example:443/z"
        ),
        Row(
            testDescription: "upwards to https", from: "http://a.example/x", location: "https://a.example/x",
            expected: "https://a.example/x", keepsCredentials: false),
        Row(
            testDescription: "credentials in the location are left out", location: "https://u:p@a.example/z",
            expected: "https://a.example/z"),
        Row(testDescription: "303 becomes GET", status: 303, method: "PUT", location: "/z", expected: "https://a.example/z"),
        Row(testDescription: "302 after POST becomes GET", method: "POST", location: "/z", expected: "https://a.example/z"),
        Row(
            testDescription: "307 stays as it is", status: 307, method: "POST", location: "/z", expected: "https://a.example/z",
            expectedMethod: "POST"),
        Row(
            testDescription: "308 stays as it is", status: 308, method: "PATCH", location: "/z", expected: "https://a.example/z",
            expectedMethod: "PATCH"),
        Row(
            testDescription: "303 after HEAD stays HEAD", status: 303, method: "HEAD", location: "/z", expected: "https://a.example/z",
            expectedMethod: "HEAD"),
        Row(testDescription: "304 is no redirect", status: 304, location: "/z", expected: nil),
        Row(testDescription: "200 is no redirect", status: 200, location: "/z", expected: nil),
    ]

    @Test(arguments: followed) func `a redirect is followed by the rules`(row: Row) throws {
        var original = TransportRequest(
            method: row.method, url: row.from, headers: [Header("Authorization", "Bearer x"), Header("X-Kept", "1")])
        original.body = row.method == "POST" || row.method == "PATCH" ? .bytes([1]) : .none
        original.tls.clientKey = .bytes([1])
        let next = try RedirectRules.next(after: row.status, location: row.location, to: original)
        #expect(next?.url == row.expected)
        guard let next else { return }
        #expect(next.method == row.expectedMethod)
        #expect(next.headers.contains { $0.name == "X-Kept" })
        #expect(next.headers.contains { $0.name == "Authorization" } == row.keepsCredentials)
        #expect((next.tls.clientKey != nil) == row.keepsCredentials)
        if case .bytes = next.body { #expect(row.expectedMethod != "GET") }
    }

    @Test(arguments: ["http://a.example/", "ftp://a.example/", "file:///etc/passwd", "https://", "//", "https://a.example:port/"])
    func `a location that leads away from https is refused`(location: String) {
        #expect(throws: TransportError.self) {
            try RedirectRules.next(after: 302, location: location, to: TransportRequest(url: "https://a.example/"))
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1/", true), ("http://LOCALHOST:80/", true), ("http://[::1]:5000/", true), ("http://127.evil.example/", false),
        ("http://10.0.0.1/", false),
    ])
    func `loopback is known, so that no proxy is asked for it`(url: String, isLoopback: Bool) {
        #expect(WebAddress(url)?.isLoopback == isLoopback)
    }

    @Test func `redirects are followed as often as allowed`() async throws {
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { seen in
            let left = Int(seen.path.dropFirst()) ?? 0
            return left == 0 ? LoopbackAnswer(200, "there") : LoopbackAnswer(307, headers: [("Location", "/\(left - 1)")], "elsewhere")
        }
        try await withServer(answer) { server, transport in
            let there = try await transport.send(request("POST", server.url("/3"), body: .bytes([9]), redirects: 3))
            #expect(try await there.collect(upTo: 10) == Array("there".utf8))
            #expect(server.seen.allSatisfy { $0.method == "POST" && $0.body == [9] })
            #expect(server.connections.count == 1)
            let error = await #expect(throws: TransportError.self) { try await transport.send(request(server.url("/4"), redirects: 3)) }
            guard case .redirectRefused = error else { throw error ?? .cancelled }
            #expect(try await transport.send(request(server.url("/1"))).status == 307)
        }
    }
}
