// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CSsl
import Foundation
import LoopbackTesting
import Testing

@testable import Wire

/// A server with a certificate of its own, in files that a test may change.
private func secured(
    limits: WireLimits = WireLimits(), name: String = "first", answer: @escaping @Sendable (WireRequest) async -> WireResponse = echo,
    _ body: (WireServer, TLSFiles) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    var files = TLSFiles(certificate: folder.path + "/tls.crt", key: folder.path + "/tls.key")
    files.lookEvery = .zero
    try Certificate.write(named: name, into: files)
    try await serving(loops: 2, limits: limits, tls: files, handler: Answering(answer)) { try await body($0, files) }
}

@Sendable private func echo(_ request: WireRequest) async -> WireResponse {
    WireResponse(headers: ["x-path": request.path], body: request.body)
}

private let get = Array("GET /here HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".utf8)

struct TLSTests {
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func `HTTP/1.1 is spoken, ended properly, and chosen by ALPN`(version: Int32)
        async throws
    {
        try await secured { server, _ in
            let peer = try await TLSPeer(port: server.port, offering: ["http/1.1"], version: version)
            #expect(peer.chosen == "http/1.1")
            try await peer.say(get)
            #expect(try await peer.hearAll().contains("x-path: /here\r\n"))
            #expect(server.statistics.handshakes == 1)
        }
    }

    @Test func `HTTP/2 is chosen where it is offered, even last`() async throws {
        try await secured { server, _ in
            let peer = try await TLSPeer(port: server.port, offering: ["http/1.1", "h2"])
            #expect(peer.chosen == "h2")
            try await peer.say(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Frame.settings().bytes)
            let head = try await peer.hear(9)
            #expect(head[3] == 4)
        }
    }

    @Test func `who offers only other protocols is turned away, and so is an old version`() async throws {
        try await secured { server, _ in
            await #expect(throws: LoopbackError.self) { _ = try await TLSPeer(port: server.port, offering: ["spdy/3"]) }
            await #expect(throws: LoopbackError.self) { _ = try await TLSPeer(port: server.port, version: TLS1_1_VERSION) }
            let peer = try await TLSPeer(port: server.port, offering: [])
            try await peer.say(get)
            #expect(try await peer.hearAll().hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(server.statistics.handshakesFailed == 2)
        }
    }

    @Test(arguments: [1, 1_000_000]) func `bodies go there and back whole, over both versions of HTTP`(size: Int) async throws {
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try await secured { server, _ in
            let one = try await TLSPeer(port: server.port)
            try await one.say(Array("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: \(size)\r\nconnection: close\r\n\r\n".utf8))
            for start in stride(from: 0, to: size, by: 70_000) { try await one.say(Array(body[start..<min(size, start + 70_000)])) }
            let head =
                "HTTP/1.1 200 OK\r\nx-path: /\r\ncontent-length: \(size)\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nconnection: close\r\n\r\n"
            let answer = try await one.hear(head.utf8.count + size)
            #expect(answer.suffix(size).elementsEqual(body))
            try await http2(server, body)
        }
    }

    /// Sends and hears a body in frames, minding the windows.
    private func http2(_ server: WireServer, _ body: [UInt8]) async throws {
        let peer = try await TLSPeer(port: server.port)
        let hello = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        let fields = [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "x")]
        let windows = Frame.settings([(4, 1 << 24)]).bytes + Frame.window(0, 1 << 24).bytes
        try await peer.say(hello + windows + Frame(type: 4, flags: 1).bytes + Frame.head(1, fields, ends: false).bytes)
        // The server takes what comes as it comes and opens its windows with it, so they need not be counted here.
        for start in stride(from: 0, to: body.count, by: 16_384) {
            let end = min(body.count, start + 16_384)
            try await peer.say(Frame.data(1, Array(body[start..<end]), ends: end == body.count).bytes)
        }
        var heard: [UInt8] = []
        while true {
            let head = try await peer.hear(9)
            let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            let payload = count == 0 ? [] : try await peer.hear(count)
            #expect(head[3] != 3 && head[3] != 7)
            if head[3] == 0 { heard += payload }
            if head[3] < 2, head[4] & Frame.endStream != 0 { break }
        }
        #expect(heard == body)
    }

    @Test func `who comes back with a ticket is known, on every loop and after a rotation`() async throws {
        try await secured { server, files in
            let first = try await TLSPeer(port: server.port)
            try await first.say(get)
            // The ticket comes with the answer.
            _ = try await first.hearAll()
            #expect(!first.isResumed)
            for _ in 0..<4 {
                let again = try await TLSPeer(port: server.port, resuming: first)
                #expect(again.isResumed)
            }
            try Certificate.write(named: "second", into: files)
            #expect(try await TLSPeer(port: server.port, resuming: first).isResumed)
        }
    }

    @Test func `a new pair of files is taken by new connections, and old ones live on`() async throws {
        try await secured { server, files in
            let old = try await TLSPeer(port: server.port)
            try Certificate.write(named: "second", into: files)
            let fresh = try await TLSPeer(port: server.port)
            #expect(fresh.serverName == "second" && old.serverName == "first")
            try await old.say(get)
            #expect(try await old.hearAll().contains("/here"))
            #expect(server.statistics.certificatesTaken == 2)
        }
    }

    @Test func `a broken pair is not taken, and counted; the next good one is`() async throws {
        try await secured { server, files in
            let certificate = try String(contentsOfFile: files.certificate, encoding: .utf8)
            try Certificate.write(named: "second", into: files)
            let second = try String(contentsOfFile: files.certificate, encoding: .utf8)
            // The old certificate with the new key, then no certificate at all, then none that can be read.
            try certificate.write(toFile: files.certificate, atomically: true, encoding: .utf8)
            #expect(try await TLSPeer(port: server.port).serverName == "first")
            try "rubbish".write(toFile: files.certificate, atomically: true, encoding: .utf8)
            #expect(try await TLSPeer(port: server.port).serverName == "first")
            try FileManager.default.removeItem(atPath: files.certificate)
            #expect(try await TLSPeer(port: server.port).serverName == "first")
            #expect(server.statistics.certificatesRefused == 3)
            try second.write(toFile: files.certificate, atomically: true, encoding: .utf8)
            #expect(try await TLSPeer(port: server.port).serverName == "second")
        }
    }

    @Test func `a bad file stops the start with its name`() async throws {
        let folder = try TemporaryFolder()
        let files = TLSFiles(certificate: folder.path + "/tls.crt", key: folder.path + "/tls.key")
        func start() throws {
            let server = WireServer(
                address: "127.0.0.1", port: 0, loops: try WireLoops(count: 1), tls: files, handler: Answering(echo), logger: quiet)
            try server.bind()
        }
        #expect(throws: WireError.badCertificate(files.certificate, "no such file or directory")) { try start() }
        try Certificate.write(named: "a", into: files)
        let other = TLSFiles(certificate: folder.path + "/other.crt", key: files.key)
        try Certificate.write(named: "b", into: other)
        #expect { try start() } throws: { "\($0)".hasPrefix("cannot use \"\(files.key)\" for TLS: no private key") }
        try "rubbish".write(toFile: files.certificate, atomically: true, encoding: .utf8)
        #expect { try start() } throws: { "\($0)".hasPrefix("cannot use \"\(files.certificate)\" for TLS: no certificate in PEM") }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nhost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
    func `plain text gets a plain answer`(text: String) async throws {
        try await secured { server, _ in
            let peer = try RawPeer(port: server.port)
            try await peer.say(text)
            let answer = try await peer.hearAll()
            #expect(
                answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && answer.hasSuffix("\r\n\r\nwanted TLS on this port, found plain text\n"))
            #expect(server.statistics.requestsRejected == 1)
        }
    }

    @Test func `a handshake that stops, never begins or is nonsense is given up in time`() async throws {
        var limits = WireLimits()
        limits.headTimeout = .milliseconds(100)
        try await secured(limits: limits) { server, _ in
            let silent = try RawPeer(port: server.port)
            let half = try RawPeer(port: server.port)
            try await half.say([22, 3, 1, 2, 0, 1, 0])
            let nonsense = try RawPeer(port: server.port)
            try await nonsense.say([22, 3, 1, 0, 4, 9, 9, 9, 9])
            #expect(try await silent.hearAll() == "")
            #expect(try await half.hearAll() == "")
            _ = try await nonsense.hearAll()
            #expect(server.statistics.handshakesFailed == 2)
            #expect(server.statistics.connectionsOpen == 0)
        }
    }

    @Test func `a caller that finishes saying has left`() async throws {
        let started = Tally()
        let cancelled = Tally()
        try await secured(answer: { _ in
            started.add()
            do { try await Task.sleep(for: .seconds(20)) } catch { cancelled.add() }
            return WireResponse()
        }) { server, _ in
            let peer = try await TLSPeer(port: server.port)
            try await peer.say(get)
            try await started.reaches(1)
            peer.finishSaying()
            try await cancelled.reaches(1)
            #expect(server.statistics.requestsAbandoned == 1)
        }
    }

    @Test func `draining answers what is in flight and says the end`() async throws {
        let gate = Tally()
        let started = Tally()
        var limits = WireLimits()
        limits.drainGrace = .zero
        try await secured(
            limits: limits,
            answer: { request in
                started.add()
                try? await gate.reaches(1)
                return WireResponse(body: Array("done".utf8))
            }
        ) { server, _ in
            let peer = try await TLSPeer(port: server.port)
            try await peer.say(Array("GET / HTTP/1.1\r\nhost: x\r\n\r\n".utf8))
            try await started.reaches(1)
            await drain(server)
            gate.add()
            let answer = try await peer.hearAll()
            #expect(answer.contains("connection: close\r\n") && answer.hasSuffix("done"), "\(answer)")
        }
    }
}
