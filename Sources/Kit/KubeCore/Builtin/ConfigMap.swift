// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Named texts and bytes.
package struct ConfigMap: KubeResource {
    package static let kind = ResourceKind("", "v1", "ConfigMap", "configmaps")
    package var metadata = ObjectMeta()
    package var data: [String: String] = [:]
    package var binaryData: [String: Base64] = [:]

    package init() {}
    package static let fields: JSONFields<ConfigMap> = [
        .init("metadata", \.metadata), .init("data", \.data), .init("binaryData", \.binaryData),
    ]

    /// Every entry as bytes, by key.
    package var files: [String: [UInt8]] {
        binaryData.mapValues(\.bytes).merging(data.mapValues { Array($0.utf8) }) { _, text in text }
    }
}

/// Named bytes that are not to be shown.
package struct Secret: KubeResource {
    package static let kind = ResourceKind("", "v1", "Secret", "secrets")
    package var metadata = ObjectMeta()
    package var type = ""
    package var data: [String: Base64] = [:]

    package init() {}
    package static let fields: JSONFields<Secret> = [.init("metadata", \.metadata), .init("type", \.type), .init("data", \.data)]

    /// The entry as text; nil where there is none or it is not UTF-8.
    package func text(_ key: String) -> String? { data[key].flatMap { String(validating: $0.bytes, as: UTF8.self) } }
}

/// Bytes that JSON carries in base 64 (RFC 4648, section 4).
package struct Base64: Hashable, Sendable, JSONCodable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Decodes text; white space is passed over, anything else that is not of the alphabet is refused.
    package init?(text: String) {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.utf8.count / 4 * 3)
        var bits: UInt32 = 0
        var held = 0
        var padding = 0
        for byte in text.utf8 where byte > 0x20 {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = Self.value(of: byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        guard held < 6, padding <= 2, bits & ((1 << UInt32(held)) - 1) == 0 else { return nil }
        bytes = decoded
    }

    /// The bytes as text, with padding.
    package var text: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                encoded.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    package init(from reader: inout JSONReader) throws(JSONError) {
        guard let value = Base64(text: try reader.string()) else { throw reader.failure("wanted base 64, found text that is not") }
        self = value
    }
    package func write(to writer: inout JSONWriter) { writer.string(text) }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
