// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Hashing
import JSON

/// A signed token in its compact form (RFC 7515, RFC 7519), taken apart and not yet believed.
struct JSONWebToken: Sendable {
    var algorithm: PublicKey.Algorithm
    var keyID: String?
    var claims: Claims
    /// What was signed: the first two parts as they came.
    var signed: [UInt8]
    var signature: [UInt8]

    /// What a token says of itself. Times are seconds since 1970.
    struct Claims: Equatable, Sendable {
        var issuer = ""
        var subject = ""
        var audiences: [String] = []
        var expires: Int64?
        var notBefore: Int64?
        var issuedAt: Int64?
    }

    /// Why a token is not what it should be; never with a part of the token.
    struct Flaw: Error, Equatable { var reason: String }

    /// Longer tokens are not looked at.
    static let longest = 16 << 10

    init(_ text: String) throws(Flaw) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.longest, parts.count == 3, let head = Base64URL.decoded(parts[0]),
            let body = Base64URL.decoded(parts[1]), let signature = Base64URL.decoded(parts[2])
        else { throw Flaw(reason: "the token is no signed JWT") }
        guard let header = Self.object(head), let members = Self.object(body) else { throw Flaw(reason: "the token is no signed JWT") }
        // Whoever signs chooses among what we know; "none" and keys that are shared are not among it.
        guard let algorithm = header["alg"]?.string.flatMap(PublicKey.Algorithm.init(rawValue:)) else {
            throw Flaw(reason: "the token's \"alg\" is none that is accepted")
        }
        guard header["crit"] == nil else { throw Flaw(reason: "the token has critical extensions that are not understood") }
        self.algorithm = algorithm
        self.signature = signature
        keyID = header["kid"]?.string
        signed = Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1])
        claims = try Claims(members)
    }

    /// When the token says that it expires, believed or not; nil for what is no JWT.
    static func expiry(of text: String) -> Int64? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= longest, parts.count == 3, let body = Base64URL.decoded(parts[1]), let members = object(body) else {
            return nil
        }
        return members["exp"]?.double.flatMap { Int64(exactly: $0.rounded(.down)) }
    }

    private static func object(_ bytes: [UInt8]) -> JSONValue? {
        // What is no JSON is no token; what is wrong with it is nobody's business.
        guard let value = try? JSONValue.decode(json: bytes), value.object != nil else { return nil }
        return value
    }
}

extension JSONWebToken.Claims {
    fileprivate init(_ members: JSONValue) throws(JSONWebToken.Flaw) {
        issuer = members["iss"]?.string ?? ""
        subject = members["sub"]?.string ?? ""
        switch members["aud"] {
        case .string(let one): audiences = [one]
        case .array(let several): audiences = several.compactMap(\.string)
        default: audiences = []
        }
        expires = try Self.time(members, "exp")
        notBefore = try Self.time(members, "nbf")
        issuedAt = try Self.time(members, "iat")
    }

    private static func time(_ members: JSONValue, _ name: String) throws(JSONWebToken.Flaw) -> Int64? {
        guard let value = members[name], value != .null else { return nil }
        guard let number = value.double, let seconds = Int64(exactly: number.rounded(.down)) else {
            throw JSONWebToken.Flaw(reason: "the token's \"\(name)\" is no time")
        }
        return seconds
    }

    /// Whether the token counts now. Clocks may differ by the leeway.
    func check(now: Int64, leeway: Int64 = 60) throws(JSONWebToken.Flaw) {
        guard let expires else { throw JSONWebToken.Flaw(reason: "the token never expires: it wants \"exp\"") }
        guard now < expires.saturatingAdd(leeway) else { throw JSONWebToken.Flaw(reason: "the token has expired") }
        if let notBefore, notBefore > now + leeway { throw JSONWebToken.Flaw(reason: "the token is not valid yet") }
        if let issuedAt, issuedAt > now + leeway { throw JSONWebToken.Flaw(reason: "the token is from the future") }
    }
}

extension Int64 {
    fileprivate func saturatingAdd(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}

/// Base 64 with the alphabet for URLs and without padding. (RFC 4648 §5)
enum Base64URL {
    static func decoded(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits = 0
        var count = 0
        for character in text {
            guard let value = value(of: character) else { return nil }
            bits = (bits << 6 | value) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        // One character alone holds no byte, and what is left over must be zero: a value has one spelling.
        guard count < 6, bits & (1 << count - 1) == 0 else { return nil }
        return bytes
    }

    private static func value(of character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character) - 97 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character) - 48 + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
