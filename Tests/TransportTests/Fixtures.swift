// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Synchronization
import Testing
import Transport

/// A scripted server and a transport for one test, both gone after it.
func withServer(
    readsBodies: Gate = Gate(open: true), connections: Int = 8,
    early: @escaping @Sendable (LoopbackRequest) -> LoopbackAnswer? = { _ in nil },
    _ answer: @escaping @Sendable (LoopbackRequest) -> LoopbackAnswer,
    _ body: (LoopbackServer, CurlTransport) async throws -> Void
) async throws {
    let server = try LoopbackServer(readsBodies: readsBodies, early: early, answer)
    let transport = CurlTransport(name: "test", maxConnectionsPerHost: connections)
    defer {
        transport.shutdown()
        server.stop()
    }
    try await body(server, transport)
}

/// A request that never outlives its test.
func request(_ url: String, idle: Duration? = nil, redirects: Int = 0) -> TransportRequest {
    request("GET", url, idle: idle, redirects: redirects)
}

func request(
    _ method: String, _ url: String, headers: [Header] = [], body: RequestBody = .none, idle: Duration? = nil, redirects: Int = 0
) -> TransportRequest {
    TransportRequest(
        method: method, url: url, headers: headers, body: body, timeouts: Timeouts(idle: idle, whole: .seconds(60)),
        maxRedirects: redirects, bypassProxy: true)
}

/// A body of so many chunks, which counts those taken from it and may fail at its end.
struct Source: AsyncSequence, Sendable {
    struct Broken: Error {}

    let chunks: Int
    var size = 64 << 10
    /// Breaks in place of ending, once that has been counted.
    var breaksAfter: Tally?
    let taken = Tally()

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: Source
        var next = 0

        mutating func next() async throws -> [UInt8]? {
            guard next < source.chunks else {
                guard let cue = source.breaksAfter else { return nil }
                try await cue.reaches(1)
                throw Broken()
            }
            defer { next += 1 }
            source.taken.add()
            return Source.chunk(next, size: source.size)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }

    static func chunk(_ number: Int, size: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number &* 31 &+ 7), count: size)
    }

    var whole: [UInt8] { (0..<chunks).flatMap { Source.chunk($0, size: size) } }
}
