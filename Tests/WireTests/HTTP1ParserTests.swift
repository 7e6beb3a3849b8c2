// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Wire

/// What a parser made of some bytes: the requests, or the status with which it refused.
private enum Reading: Equatable {
    case requests([String])
    case refused(Int)
    case unfinished
}

/// Feeds the bytes in pieces and collects what comes out.
private func read(_ pieces: [ArraySlice<UInt8>], limits: WireLimits = WireLimits()) -> Reading {
    var parser = HTTP1Parser(limits: limits)
    var requests: [String] = []
    do throws(HTTPFault) {
        for piece in pieces {
            try Array(piece).withUnsafeBufferPointer { (bytes) throws(HTTPFault) in
                var rest = bytes
                while try parser.advance(over: &rest) != .needsMore {
                    if parser.isInBody { continue }
                    let (head, body) = parser.takeRequest()
                    requests.append(
                        "\(head.method) \(head.path)|\(head.query ?? "-")|\(head.headers)|" + String(decoding: body, as: UTF8.self))
                    if rest.isEmpty { return }
                }
            }
        }
    } catch {
        return .refused(error.status)
    }
    return parser.isFresh ? .requests(requests) : .unfinished
}

/// The whole at once, cut in two at every place, and byte by byte.
private func everyCut(of text: String) -> [[ArraySlice<UInt8>]] {
    let bytes = Array(text.utf8)
    return [[bytes[...]], bytes.indices.map { bytes[$0...$0] }] + bytes.indices.dropFirst().map { [bytes[..<$0], bytes[$0...]] }
}

struct HTTP1ParserTests {
    struct Good: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var requests: [String]
    }

    @Test(arguments: [
        Good(testDescription: "no body", text: "GET /a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n", requests: ["GET /a/b|c=d|host: x|"]),
        Good(
            testDescription: "values are trimmed", text: "GET / HTTP/1.1\r\nHost: \t x:1 \t\r\nA:\r\n\r\n",
            requests: ["GET /|-|host: x:1\na: |"]),
        Good(
            testDescription: "a length", text: "POST /p HTTP/1.1\r\nhost: x\r\nContent-Length: 5\r\n\r\nhello",
            requests: ["POST /p|-|host: x\ncontent-length: 5|hello"]),
        Good(
            testDescription: "a length of nothing", text: "POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
            requests: ["POST /p|-|host: x\ncontent-length: 0|"]),
        Good(
            testDescription: "chunks, extensions and trailers",
            text:
                "POST / HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n00A \r\n, my world\r\n0\r\nX: y\r\n\r\n",
            requests: ["POST /|-|host: x\ntransfer-encoding: Chunked|hello, my world"]),
        Good(
            testDescription: "two in a row",
            text: "POST /1 HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\naGET /2 HTTP/1.1\r\nhost: y\r\n\r\n",
            requests: ["POST /1|-|host: x\ncontent-length: 1|a", "GET /2|-|host: y|"]),
        Good(testDescription: "an empty line first", text: "\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n", requests: ["GET /|-|host: x|"]),
        Good(testDescription: "HTTP/1.0 needs no host", text: "GET / HTTP/1.0\r\n\r\n", requests: ["GET /|-||"]),
        Good(
            testDescription: "the target's host counts", text: "GET http://h:8?q HTTP/1.1\r\nhost: x\r\n\r\n",
            requests: ["GET /|q|host: h:8|"]),
        Good(testDescription: "the server itself", text: "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", requests: ["OPTIONS *|-|host: x|"]),
    ])
    func `a request reads the same however it is cut`(good: Good) {
        for pieces in everyCut(of: good.text) { #expect(read(pieces) == .requests(good.requests)) }
    }

    struct Bad: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var status = 400

        init(_ name: String, _ text: String, _ status: Int = 400) {
            testDescription = name
            self.text = text
            self.status = status
        }

        static func field(_ name: String, _ field: String, _ status: Int = 400) -> Bad {
            Bad(name, "POST / HTTP/1.1\r\nhost: x\r\n\(field)\r\n\r\n", status)
        }

        static func chunk(_ name: String, _ chunk: String, _ status: Int = 400) -> Bad {
            Bad(name, "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n\(chunk)", status)
        }
    }

    @Test(arguments: [
        Bad("no host", "GET / HTTP/1.1\r\n\r\n"),
        .field("two hosts", "host: x"),
        .field("a host with a path", "host: x/y"),
        .field("two lengths", "content-length: 1\r\ncontent-length: 1"),
        .field("a list of lengths", "content-length: 1, 1"),
        .field("a signed length", "content-length: +1"),
        .field("an empty length", "content-length:"),
        .field("a length beyond numbers", "content-length: 99999999999999999999"),
        .field("length and chunks", "content-length: 1\r\ntransfer-encoding: chunked"),
        .field("chunks and length", "transfer-encoding: chunked\r\ncontent-length: 1"),
        .field("two encodings", "transfer-encoding: chunked\r\ntransfer-encoding: chunked"),
        .field("an unknown encoding", "transfer-encoding: gzip, chunked", 501),
        .field("a hidden encoding", "transfer-encoding: \u{0b}chunked"),
        .field("space before the colon", "content-length : 1"),
        .field("a folded line", "a: b\r\n c"),
        .field("no colon", "content-length"),
        .field("no name", ": a"),
        .field("a carriage return in a value", "a: b\rcontent-length: 1"),
        .field("a bare line feed", "a: b\ncontent-length: 1"),
        .field("a NUL", "a: b\0"),
        .field("an unknown expectation", "expect: tea", 417),
        Bad("chunks in HTTP/1.0", "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n"),
        Bad("a bare line feed in the request line", "GET / HTTP/1.1\nhost: x\n\n"),
        Bad("two spaces", "GET  / HTTP/1.1\r\nhost: x\r\n\r\n"),
        Bad("no version", "GET /\r\nhost: x\r\n\r\n"),
        Bad("another protocol", "GET / HTCPCP/1.1\r\nhost: x\r\n\r\n"),
        Bad("a later version", "GET / HTTP/2.0\r\nhost: x\r\n\r\n", 505),
        Bad("a relative target", "GET a HTTP/1.1\r\nhost: x\r\n\r\n"),
        Bad("a tunnel", "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 501),
        Bad("a strange method", "G(T / HTTP/1.1\r\nhost: x\r\n\r\n"),
        Bad("a target with a control character", "GET /\u{7f} HTTP/1.1\r\nhost: x\r\n\r\n"),
        Bad("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n"),
        .chunk("a chunk without size", "\r\nhello\r\n"),
        .chunk("a chunk of signed size", "+5\r\nhello\r\n"),
        .chunk("a chunk of 0x size", "0x5\r\nhello\r\n"),
        .chunk("a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"),
        .chunk("a chunk ended by a line feed", "5\nhello\r\n0\r\n\r\n"),
        .chunk("a chunk beyond numbers", "fffffffffffffffff\r\n", 413),
        .chunk("a folded trailer", "0\r\n a\r\n\r\n"),
    ])
    func `a malformed request is refused however it is cut`(bad: Bad) {
        for pieces in everyCut(of: bad.text) { #expect(read(pieces) == .refused(bad.status)) }
    }

    @Test func `what is longer than allowed is refused by its kind`() {
        var limits = WireLimits()
        limits.headBytes = 64
        limits.headFields = 3
        limits.bodyBytes = 10
        let line = "GET / HTTP/1.1\r\n"
        func whole(_ text: String) -> Reading { read([Array(text.utf8)[...]], limits: limits) }
        #expect(whole("GET /" + String(repeating: "a", count: 80)) == .refused(414))
        #expect(whole(line + "host: x\r\na: " + String(repeating: "b", count: 80)) == .refused(431))
        #expect(whole(line + "host: x\r\na:b\r\nc:d\r\ne:f\r\n\r\n") == .refused(431))
        #expect(whole("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n") == .refused(413))
        #expect(whole("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n0123456789") != .refused(413))
        let chunked = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        limits.headBytes = 1000
        #expect(whole(chunked + "6\r\n012345\r\n5\r\n") == .refused(413))
        #expect(whole(chunked + "6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n") != .refused(413))
    }

    @Test func `a head of exactly the limit passes, one byte more does not`() {
        let text = "GET / HTTP/1.1\r\nhost: x\r\n\r\n"
        var limits = WireLimits()
        limits.headBytes = text.utf8.count - 1
        #expect(read([Array(text.utf8)[...]], limits: limits) == .refused(431))
        limits.headBytes = text.utf8.count
        #expect(read([Array(text.utf8)[...]], limits: limits) == .requests(["GET /|-|host: x|"]))
    }

    @Test func `a head that waits for leave to send its body says so`() throws {
        var parser = HTTP1Parser(limits: WireLimits())
        let text = Array("PUT / HTTP/1.1\r\nhost: x\r\nExpect: 100-Continue\r\ncontent-length: 3\r\n\r\n".utf8)
        try text.withUnsafeBufferPointer { (bytes) throws(HTTPFault) in
            var rest = bytes
            let step = try parser.advance(over: &rest)
            #expect(step == .head)
            #expect(rest.isEmpty)
        }
        #expect(parser.head.expectsContinue)
        #expect(parser.isInBody)
    }

    @Test func `a damaged request is judged the same however it is cut`() {
        let whole = Array(
            "POST /a?b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3;e\r\nabc\r\n0\r\nt: u\r\n\r\nPUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi"
                .utf8)
        let spices = Array("\r\n\0 :;,0aZ\t\u{7f}".utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = spices.randomElement(using: &random) ?? 0
                case 1: bytes.insert(spices.randomElement(using: &random) ?? 0, at: place)
                default: bytes.remove(at: place)
                }
            }
            let place = Int.random(in: 1..<bytes.count, using: &random)
            let judged = read([bytes[...]])
            #expect(read([bytes[..<place], bytes[place...]]) == judged, "\(bytes)")
            #expect(read(bytes.indices.map { bytes[$0...$0] }) == judged, "\(bytes)")
        }
    }
}
