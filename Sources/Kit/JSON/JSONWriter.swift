// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Appends JSON text to a buffer, with no white space between tokens.
///
/// Commas and colons come by themselves. The caller keeps `begin…` and `end…` in pairs.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes a member's key; its value must follow.
    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func null() { literal("null") }
    package mutating func bool(_ flag: Bool) { literal(flag ? "true" : "false") }

    package mutating func string(_ text: String) {
        separate()
        quote(text)
        needsComma = true
    }

    package mutating func int(_ number: some BinaryInteger) { literal(String(number)) }

    /// Writes the shortest text that reads back as the same number. JSON has no infinities and no NaN: they become null.
    package mutating func double(_ number: some BinaryFloatingPoint & LosslessStringConvertible) {
        guard number.isFinite else { return null() }
        literal(number.description)
    }

    /// Writes bytes that are a JSON value already.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() { if needsComma { bytes.append(UInt8(ascii: ",")) } }

    /// Hands the text over to who appends a whole value to it; `endPacked` must follow.
    mutating func beginPacked(into text: inout [UInt8]) {
        separate()
        swap(&bytes, &text)
    }

    mutating func endPacked(_ text: inout [UInt8]) {
        swap(&bytes, &text)
        needsComma = true
    }

    private mutating func quote(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { Self.escape(UnsafeRawBufferPointer($0), into: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends UTF-8 as it stands between a string's quotes.
    static func escape(_ content: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
        var start = 0
        for (place, byte) in content.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5c {
            bytes.append(contentsOf: content[start..<place])
            escape(byte, into: &bytes)
            start = place + 1
        }
        bytes.append(contentsOf: content[start...])
    }

    private static func escape(_ byte: UInt8, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0a: bytes.append(UInt8(ascii: "n"))
        case 0x0d: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x22, 0x5c: bytes.append(byte)
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: [UInt8(ascii: "u"), 48, 48, digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }
}
