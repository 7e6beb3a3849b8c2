// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// Pulls typed values out of JSON text (RFC 8259), front to back, making nothing for what is skipped.
///
/// The bytes must outlive the reader: make one with `JSONReader.read(_:_:)`.
/// Cost: one pass; strings are copied, all else is read in place. Nesting deeper than `maxDepth` is refused.
package struct JSONReader {
    /// What kind of value comes next.
    package enum Kind: Sendable { case object, array, string, number, bool, null }
    /// A number as it was written: whole and within 64 bits, or not.
    package enum Number: Equatable, Sendable { case int(Int64), double(Double) }

    package static let maxDepth = 256

    let bytes: UnsafeBufferPointer<UInt8>
    package internal(set) var offset = 0
    var depth = 0

    package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Reads one document and requires that nothing but white space follows it.
    package static func read<Value>(
        _ bytes: some Collection<UInt8>, _ body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        let outcome = bytes.withContiguousStorageIfAvailable { document($0, body) }
        return try (outcome ?? Array(bytes).withUnsafeBufferPointer { document($0, body) }).get()
    }

    /// The same for an array, without asking what it is.
    package static func read<Value>(
        _ bytes: [UInt8], _ body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        try bytes.withUnsafeBufferPointer { document($0, body) }.get()
    }

    private static func document<Value>(
        _ buffer: UnsafeBufferPointer<UInt8>, _ body: (inout JSONReader) throws(JSONError) -> Value
    ) -> Result<Value, JSONError> {
        Result { () throws(JSONError) in
            var reader = JSONReader(buffer)
            let value = try body(&reader)
            reader.skipSpace()
            guard reader.offset == buffer.count else { throw reader.failure("wanted the end, found more") }
            return value
        }
    }

    /// The kind of the next value, which stays unread.
    package mutating func peek() throws(JSONError) -> Kind {
        skipSpace()
        guard offset < bytes.count else { throw failure("wanted a value, found the end") }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw failure("wanted a value, found \(found)")
        }
    }

    /// Reads `null`.
    package mutating func null() throws(JSONError) { try literal("null") }

    /// Reads `null` if it comes next, and says whether it did.
    package mutating func nullIfPresent() throws(JSONError) -> Bool {
        guard try peek() == .null else { return false }
        try null()
        return true
    }

    /// Reads `true` or `false`.
    package mutating func bool() throws(JSONError) -> Bool {
        guard try peek() == .bool else { throw failure("wanted a boolean, found \(found)") }
        if bytes[offset] == UInt8(ascii: "t") {
            try literal("true")
            return true
        }
        try literal("false")
        return false
    }

    /// Reads an object: `member` gets each key and must read its value, or return false to have it skipped.
    package mutating func object(
        _ member: (inout JSONReader, UnsafeBufferPointer<UInt8>) throws(JSONError) -> Bool
    ) throws(JSONError) {
        guard try peek() == .object else { throw failure("wanted an object, found \(found)") }
        try descend()
        guard !closes(with: UInt8(ascii: "}")) else { return }
        while true {
            guard try peek() == .string else { throw failure("wanted a key, found \(found)") }
            let start = offset + 1
            let plain = try skipString()
            let key = UnsafeBufferPointer(rebasing: bytes[start..<offset - 1])
            try colon()
            let taken = plain ? try member(&self, key) : try memberWithEscapedKey(key, member)
            if !taken { try skip() }
            if try endsAfterItem(with: UInt8(ascii: "}")) { return }
        }
    }

    /// Reads an array: `item` must read one element each time, and gets its position.
    package mutating func array(_ item: (inout JSONReader, Int) throws(JSONError) -> Void) throws(JSONError) {
        guard try peek() == .array else { throw failure("wanted an array, found \(found)") }
        try descend()
        guard !closes(with: UInt8(ascii: "]")) else { return }
        var position = 0
        while true {
            do throws(JSONError) { try item(&self, position) } catch { throw error.inside("[\(position)]") }
            position += 1
            if try endsAfterItem(with: UInt8(ascii: "]")) { return }
        }
    }

    /// Passes over one value of any kind, checking its form.
    package mutating func skip() throws(JSONError) {
        switch try peek() {
        case .object: try object { (_, _) throws(JSONError) in false }
        case .array: try array { (reader, _) throws(JSONError) in try reader.skip() }
        case .string: _ = try skipString()
        case .number: _ = try number()
        case .bool: _ = try bool()
        case .null: try null()
        }
    }

    /// An error at the place where reading stands.
    package func failure(_ message: String) -> JSONError { JSONError(message, offset: offset) }

    /// What stands at the place where reading stands, for messages.
    package var found: String {
        guard offset < bytes.count else { return "the end" }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "["): return "an array"
        case UInt8(ascii: "\""): return "a string"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return "a boolean"
        case UInt8(ascii: "n"): return "null"
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return "a number"
        case let byte where byte >= 0x20 && byte < 0x7f: return "'\(Character(Unicode.Scalar(byte)))'"
        case let byte: return "byte \(byte)"
        }
    }
}

extension JSONReader {
    mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0a, 0x0d, 0x09: offset += 1
            default: return
            }
        }
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        skipSpace()
        let count = text.utf8CodeUnitCount
        guard offset + count <= bytes.count, let base = bytes.baseAddress,
            memcmp(base + offset, text.utf8Start, count) == 0
        else { throw failure("wanted \(text), found \(found)") }
        offset += count
    }

    mutating func descend() throws(JSONError) {
        depth += 1
        guard depth <= Self.maxDepth else { throw failure("wanted at most \(Self.maxDepth) levels, found more") }
        offset += 1
    }

    mutating func closes(with byte: UInt8) -> Bool {
        skipSpace()
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        depth -= 1
        return true
    }

    mutating func endsAfterItem(with byte: UInt8) throws(JSONError) -> Bool {
        if closes(with: byte) { return true }
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: ",") else {
            throw failure("wanted ',' or '\(Character(Unicode.Scalar(byte)))', found \(found)")
        }
        offset += 1
        return false
    }

    private mutating func colon() throws(JSONError) {
        skipSpace()
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else { throw failure("wanted ':', found \(found)") }
        offset += 1
    }

    private mutating func memberWithEscapedKey(
        _ key: UnsafeBufferPointer<UInt8>,
        _ member: (inout JSONReader, UnsafeBufferPointer<UInt8>) throws(JSONError) -> Bool
    ) throws(JSONError) -> Bool {
        let text = Array(try unescaped(key).utf8)
        return try text.withUnsafeBufferPointer { plain in
            Result { () throws(JSONError) in try member(&self, plain) }
        }.get()
    }
}
