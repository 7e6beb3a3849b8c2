// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One HTTP request, whole, with the rules under which it is sent.
package struct TransportRequest: Sendable {
    package var method: String
    /// An absolute `http` or `https` URL.
    package var url: String
    package var headers: [Header]
    package var body: RequestBody
    package var timeouts: Timeouts
    package var tls: TLSSettings
    /// How many redirects are followed; with 0 a redirect is an answer like any other.
    package var maxRedirects: Int
    /// Ignores the proxies that the environment names; to loopback they are always ignored.
    package var bypassProxy: Bool

    package init(
        method: String = "GET", url: String, headers: [Header] = [], body: RequestBody = .none, timeouts: Timeouts = Timeouts(),
        tls: TLSSettings = TLSSettings(), maxRedirects: Int = 0, bypassProxy: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.tls = tls
        self.maxRedirects = maxRedirects
        self.bypassProxy = bypassProxy
    }
}

/// One line of a request's or a response's head.
package struct Header: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package init(name: String, value: String) {
        self.init(name, value)
    }
}

/// What is sent after the head.
package enum RequestBody: Sendable {
    case none
    case bytes([UInt8])
    /// Pulled as fast as the peer takes it. A known length is sent as `Content-Length` and must be kept.
    case stream(length: Int64?, any AsyncSequence<[UInt8], any Error> & Sendable)
}

/// How long to wait for what.
package struct Timeouts: Hashable, Sendable {
    /// Name, connection and TLS handshake together.
    package var connect: Duration
    /// No byte in either direction for so long is an error; time in which our own side is slow does not count.
    package var idle: Duration?
    /// From the call to the last byte of the answer, redirects included.
    package var whole: Duration?

    package init(connect: Duration = .seconds(5), idle: Duration? = nil, whole: Duration? = nil) {
        self.connect = connect
        self.idle = idle
        self.whole = whole
    }
}

/// Whom to trust, and who we are.
package struct TLSSettings: Hashable, Sendable {
    /// PEM text in a file or at hand.
    package enum PEM: Hashable, Sendable {
        case file(String)
        case bytes([UInt8])
    }

    /// The authorities to trust instead of the system's.
    package var ca: PEM?
    package var clientCertificate: PEM?
    package var clientKey: PEM?
    /// Trusts whoever answers. For those who ask for it in their configuration.
    package var skipVerify: Bool

    package init(ca: PEM? = nil, clientCertificate: PEM? = nil, clientKey: PEM? = nil, skipVerify: Bool = false) {
        self.ca = ca
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
        self.skipVerify = skipVerify
    }
}

extension TransportRequest {
    /// The body to send, where also an empty one has to be said: `Content-Length: 0`.
    var payload: RequestBody {
        guard case .none = body, ["POST", "PUT", "PATCH"].contains(method) else { return body }
        return .bytes([])
    }

    /// Throws where a method or header could end its line and begin another.
    func check() throws(TransportError) {
        guard !method.isEmpty, method.utf8.allSatisfy(Header.isToken) else {
            throw .invalidRequest("wanted a method, found \"\(method)\"")
        }
        for header in headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(Header.isToken) else {
                throw .invalidRequest("wanted a header name, found \"\(header.name)\"")
            }
            guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw .invalidRequest("wanted a header value of one line for \(header.name), found control characters")
            }
        }
    }
}

extension Header {
    /// RFC 9110 §5.6.2.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
