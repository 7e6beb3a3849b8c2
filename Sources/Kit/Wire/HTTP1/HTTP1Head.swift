// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// Request line and header fields of an HTTP/1 request, checked as RFC 9112 asks, and what they say about the rest.
struct HTTP1Head: Equatable {
    enum Length: Equatable {
        case none
        case fixed(Int)
        case chunked
    }

    var method = ""
    var path = ""
    var query: String?
    var headers = WireHeaders()
    var length = Length.none
    /// HTTP/1.0: no chunks, no 100-continue, one request per connection.
    var isOld = false
    var asksToClose = false
    var expectsContinue = false
    private var hosts = 0
    private var authority: String?
    private var contentLength: Int?
    private var transferEncoding: String?

    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Reads `method SP target SP version`. (§3)
    mutating func readRequestLine(_ line: Bytes) throws(HTTPFault) {
        guard let first = line.firstIndex(of: 32), let last = line.lastIndex(of: 32), first < last else {
            throw .malformed("request line wants method, target and version")
        }
        let name = line[..<first]
        guard !name.isEmpty, name.allSatisfy(\.isTokenCharacter) else { throw .malformed("bad method") }
        method = String(decoding: name, as: UTF8.self)
        try readVersion(line[(last + 1)...])
        let target = line[(first + 1)..<last]
        guard !target.isEmpty, target.allSatisfy({ $0 > 32 && $0 < 127 }) else { throw .malformed("bad request target") }
        try readTarget(target)
    }

    private mutating func readVersion(_ version: Slice<Bytes>) throws(HTTPFault) {
        guard version.count == 8, version.prefix(5).elementsEqual("HTTP/".utf8),
            version[version.startIndex + 5].isDigit, version[version.startIndex + 6] == UInt8(ascii: "."),
            version[version.startIndex + 7].isDigit
        else { throw .malformed("bad protocol version") }
        guard version[version.startIndex + 5] == UInt8(ascii: "1") else {
            throw HTTPFault(status: 505, reason: "only HTTP/1.1 and HTTP/2 are spoken here")
        }
        isOld = version[version.startIndex + 7] == UInt8(ascii: "0")
        asksToClose = isOld
    }

    /// Origin form, absolute form (whose authority is the host then), or `*`. (§3.2)
    private mutating func readTarget(_ target: Slice<Bytes>) throws(HTTPFault) {
        var rest = target
        if method == "CONNECT" { throw HTTPFault(status: 501, reason: "CONNECT is not served") }
        if rest.first != UInt8(ascii: "/") {
            let text = String(decoding: rest, as: UTF8.self)
            if text == "*", method == "OPTIONS" {
                path = text
                return
            }
            guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) }) else {
                throw .malformed("request target wants a path")
            }
            rest = rest.dropFirst(scheme.utf8.count)
            let slash = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            let host = rest[..<slash]
            guard !host.isEmpty, host.allSatisfy(\.isHostCharacter) else { throw .malformed("bad authority in request target") }
            authority = String(decoding: host, as: UTF8.self)
            rest = rest[slash...]
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            query = String(decoding: rest[(mark + 1)...], as: UTF8.self)
            rest = rest[..<mark]
        }
        path = rest.isEmpty ? "/" : String(decoding: rest, as: UTF8.self)
    }

    /// Reads `name: value`. (§5)
    mutating func readField(_ line: Bytes) throws(HTTPFault) {
        let (name, value) = try Self.split(line)
        switch name.count {
        case 4 where name.isSame("host"):
            hosts += 1
            guard hosts == 1 else { throw .malformed("more than one host") }
            guard value.allSatisfy(\.isHostCharacter) else { throw .malformed("bad host") }
        case 6 where name.isSame("expect"):
            guard value.isSame("100-continue") else { throw HTTPFault(status: 417, reason: "unknown expectation") }
            expectsContinue = true
        case 10 where name.isSame("connection"): readConnection(value)
        case 14 where name.isSame("content-length"): try readContentLength(value)
        case 17 where name.isSame("transfer-encoding"):
            guard transferEncoding == nil else { throw .malformed("more than one transfer-encoding") }
            transferEncoding = String(decoding: value, as: UTF8.self).lowercased()
        default: break
        }
        headers.append(name: name, value: value)
    }

    /// Name and trimmed value of a field line; refuses folding, space before the colon, and control characters.
    static func split(_ line: Bytes) throws(HTTPFault) -> (name: Bytes, value: Bytes) {
        guard let colon = line.first(UInt8(ascii: ":")), colon > 0 else {
            throw .malformed("header line wants a name and a colon")
        }
        let name = Bytes(rebasing: line[..<colon])
        guard name.allSatisfy(\.isTokenCharacter) else { throw .malformed("bad header name") }
        var start = colon + 1
        var end = line.count
        while start < end, line[start].isBlank { start += 1 }
        while end > start, line[end - 1].isBlank { end -= 1 }
        let value = Bytes(rebasing: line[start..<end])
        guard value.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else { throw .malformed("control character in a header") }
        return (name, value)
    }

    private mutating func readConnection(_ value: Bytes) {
        for option in value.split(separator: UInt8(ascii: ",")) {
            let option = Bytes(rebasing: option).trimmed
            if option.isSame("close") { asksToClose = true }
        }
    }

    private mutating func readContentLength(_ value: Bytes) throws(HTTPFault) {
        guard contentLength == nil else { throw .malformed("more than one content-length") }
        guard !value.isEmpty, value.count <= 18, value.allSatisfy(\.isDigit) else { throw .malformed("bad content-length") }
        contentLength = value.reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    /// Checks what only the whole head shows. (§3.2, §6.1, §6.3)
    mutating func finish() throws(HTTPFault) {
        if hosts == 0, !isOld { throw .malformed("host is missing") }
        if let authority { headers["host"] = authority }
        if let transferEncoding {
            if contentLength != nil { throw .malformed("both content-length and transfer-encoding") }
            if isOld { throw .malformed("transfer-encoding in HTTP/1.0") }
            guard transferEncoding == "chunked" else {
                throw HTTPFault(status: 501, reason: "only the transfer-encoding chunked is understood")
            }
            length = .chunked
        } else if let contentLength {
            length = .fixed(contentLength)
        }
        if isOld { expectsContinue = false }
    }
}

extension UInt8 {
    var isDigit: Bool { self &- 48 < 10 }
    var isBlank: Bool { self == 32 || self == 9 }

    /// `tchar` of RFC 9110 §5.6.2.
    var isTokenCharacter: Bool {
        if self &- 97 < 26 || self &- 65 < 26 || isDigit { return true }
        switch self {
        case 33, 35, 36, 37, 38, 39, 42, 43, 45, 46, 94, 95, 96, 124, 126: return true
        default: return false
        }
    }

    /// What host and port may be made of, IPv6 brackets included.
    var isHostCharacter: Bool {
        if self &- 97 < 26 || self &- 65 < 26 || isDigit { return true }
        switch self {
        case 33, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 58, 59, 61, 91, 93, 95, 126: return true
        default: return false
        }
    }

    var hexValue: Int? {
        if isDigit { return Int(self - 48) }
        let lower = loweredASCII
        return lower &- 97 < 6 ? Int(lower - 87) : nil
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Equal to a lower-case text, but for case.
    func isSame(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for i in 0..<count where self[i].loweredASCII != text.utf8Start[i] { return false }
        return true
    }

    /// Where the byte is first.
    func first(_ byte: UInt8) -> Int? {
        guard let baseAddress, let found = memchr(baseAddress, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(baseAddress)
    }

    var trimmed: Self {
        var start = 0
        var end = count
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return Self(rebasing: self[start..<end])
    }
}
