// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why bytes are not the protocol buffer that was wanted.
package struct ProtoError: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }

    static let truncated = ProtoError("wanted more bytes, found the end of the message")

    /// The same error of one tensor.
    package func of(tensor name: String) -> ProtoError { ProtoError("tensor \"\(name)\": \(description)") }
}

/// Walks the fields of one message in place: nothing is copied, and nothing is made for what is skipped.
///
/// The bytes must outlive the scan.
struct ProtoScan {
    /// How a field's value is laid out.
    enum WireType: UInt8 { case varint = 0, fixed64 = 1, chunk = 2, fixed32 = 5 }

    /// How deep messages may nest, so that hostile bytes cannot exhaust the stack.
    static let maxDepth = 64

    let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The number and the layout of the next field; nil at the end of the message.
    mutating func field() throws(ProtoError) -> (number: Int, type: WireType)? {
        guard offset < bytes.count else { return nil }
        let key = try varint()
        guard let type = WireType(rawValue: UInt8(key & 7)) else { throw ProtoError("wanted a known wire type, found \(key & 7)") }
        guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw ProtoError("wanted a field number, found \(key >> 3)") }
        return (Int(key >> 3), type)
    }

    mutating func varint() throws(ProtoError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            guard offset < bytes.count else { throw .truncated }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw ProtoError("wanted at most 10 bytes of a number, found more")
    }

    /// The content of a length-delimited field.
    mutating func chunk() throws(ProtoError) -> UnsafeRawBufferPointer {
        let length = try varint()
        guard length <= UInt64(bytes.count - offset) else { throw .truncated }
        defer { offset += Int(length) }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
    }

    /// The content of a fixed-width number.
    mutating func fixed(_ width: Int) throws(ProtoError) -> UnsafeRawBufferPointer {
        guard width <= bytes.count - offset else { throw .truncated }
        defer { offset += width }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + width])
    }

    /// The content of the field that `field()` announced, whatever its layout.
    mutating func content(of type: WireType) throws(ProtoError) -> UnsafeRawBufferPointer {
        switch type {
        case .chunk: return try chunk()
        case .fixed32: return try fixed(4)
        case .fixed64: return try fixed(8)
        case .varint:
            let start = offset
            _ = try varint()
            return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
        }
    }

    /// How many numbers the bytes hold, each of a varying length.
    static func varints(in bytes: UnsafeRawBufferPointer) -> Int { bytes.reduce(0) { $0 + ($1 < 0x80 ? 1 : 0) } }
}

/// Appends fields to one message.
struct ProtoWriter {
    var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func number(_ value: UInt64, field: Int) {
        varint(UInt64(field << 3))
        varint(value)
    }

    mutating func chunk(_ content: some Collection<UInt8>, field: Int) {
        open(field: field, size: content.count)
        bytes.append(contentsOf: content)
    }

    /// Writes the tag and the length of a chunk; as many bytes must follow.
    mutating func open(field: Int, size: Int) {
        varint(UInt64(field << 3 | 2))
        varint(UInt64(size))
    }

    /// A string, left out where it is empty.
    mutating func text(_ text: String, field: Int) { if !text.isEmpty { chunk(text.utf8, field: field) } }

    /// The bytes of one number of varying length.
    static func size(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

    /// The bytes of a chunk with its tag and its length.
    static func chunkSize(_ size: Int, field: Int) -> Int { self.size(UInt64(field << 3)) + self.size(UInt64(size)) + size }
}

extension UnsafeRawBufferPointer {
    /// The bytes as text, which protocol buffers want to be UTF-8.
    func text() throws(ProtoError) -> String {
        guard let text = String(validating: self, as: UTF8.self) else { throw ProtoError("wanted UTF-8, found bytes that are not") }
        return text
    }
}
