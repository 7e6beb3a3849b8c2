// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A whole request: the server has read all of it, within its limits.
package struct WireRequest: Sendable {
    package var method: String
    /// The path as it was sent, percent-encoding and all.
    package var path: String
    /// What followed `?`, as it was sent.
    package var query: String?
    /// Fields with lower-case names; HTTP/2's `:authority` is `host` here.
    package var headers: WireHeaders
    package var body: [UInt8]
    package var isHTTP2: Bool
    /// The caller's address and port.
    package var peer: String
    /// When the answer will be of no use: the server's limit, or the caller's `grpc-timeout` if that is sooner.
    package var deadline: ContinuousClock.Instant

    package init(
        method: String = "GET", path: String, query: String? = nil, headers: WireHeaders = [:], body: [UInt8] = [],
        isHTTP2: Bool = false, peer: String = "", deadline: ContinuousClock.Instant = .now + .seconds(60)
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.isHTTP2 = isHTTP2
        self.peer = peer
        self.deadline = deadline
    }

    /// How long the body will be, as far as its beginning or the head says.
    var expectedBody: Int? {
        (isGRPC ? GRPCFraming.expected(body) : nil)
            ?? headers.bytes(of: "content-length").flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    }
}
