// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What one leaf of packed lists is.
package enum PackedKind: Sendable, Hashable {
    case bool
    case int8, int16, int32, int64
    case uint8, uint16, uint32, uint64
    case float16, float32, float64
    /// Any bytes, behind their count in 4 bytes.
    case text

    /// Bytes of one leaf; nil where they vary.
    package var width: Int? {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        case .text: nil
        }
    }

    /// The whole numbers narrower than 64 bits that a leaf can be.
    var range: ClosedRange<Int64>? {
        switch self {
        case .int8: -0x80...0x7f
        case .int16: -0x8000...0x7fff
        case .int32: -0x8000_0000...0x7fff_ffff
        case .uint8: 0...0xff
        case .uint16: 0...0xffff
        case .uint32: 0...0xffff_ffff
        case .bool, .int64, .uint64, .float16, .float32, .float64, .text: nil
        }
    }
}

/// Lists of any depth whose leaves are of one kind, read flat into little-endian bytes; or one leaf alone.
///
/// Numbers go in by value: `1.0` is whole, `1.5` is not, and what a kind cannot hold is refused. Floats that JSON has no
/// numbers for are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. Cost: one pass, no list in between.
package struct PackedLists {
    package let kind: PackedKind
    /// How many leaves there are.
    package private(set) var count = 0
    /// The lengths of the lists, outermost first; none for a leaf alone.
    package private(set) var dims: [Int64] = []
    /// Lists at one depth differ in length, or leaves lie at several depths.
    package private(set) var isRagged = false
    /// What stands at the first place where no such leaf can be read.
    package private(set) var problem: String?
    private var buffer: [UInt8] = []
    private var filled = 0
    private var leafDepth: Int?

    private static let untold: Int64 = -2

    /// `expected` leaves are made room for, within reason.
    package init(_ kind: PackedKind, expecting expected: Int = 0) {
        self.kind = kind
        let room = max(1, min(expected, 1 << 16)) * (kind.width ?? 16)
        if kind == .text { buffer.reserveCapacity(room) } else { buffer = Array(repeating: 0, count: room) }
    }

    /// The leaves one after another.
    package consuming func bytes() -> [UInt8] {
        var bytes = buffer
        buffer = []
        if kind != .text { bytes.removeLast(bytes.count - filled) }
        return bytes
    }

    /// Reads one value. Only what is no JSON is thrown; the rest of a problem's text is still checked.
    package mutating func read(_ reader: inout JSONReader) throws(JSONError) { try walk(&reader, depth: 0) }

    private mutating func walk(_ reader: inout JSONReader, depth: Int) throws(JSONError) {
        guard try reader.peek() == .array else { return try meet(&reader, depth) }
        if let leafDepth, leafDepth <= depth { isRagged = true }
        if dims.count == depth { dims.append(Self.untold) }
        var length: Int64 = 0
        try reader.descend()
        if !reader.closes(with: UInt8(ascii: "]")) {
            repeat {
                do throws(JSONError) { try walk(&reader, depth: depth + 1) } catch { throw error.inside("[\(length)]") }
                length += 1
            } while try !reader.endsAfterItem(with: UInt8(ascii: "]"))
        }
        if dims[depth] == Self.untold { dims[depth] = length }
        if dims[depth] != length { isRagged = true }
    }

    private mutating func meet(_ reader: inout JSONReader, _ depth: Int) throws(JSONError) {
        if leafDepth == nil { leafDepth = depth }
        if leafDepth != depth || dims.count > depth { isRagged = true }
        // One problem is enough, but the rest must still be JSON.
        if problem != nil || isRagged { return try reader.skip() }
        switch kind {
        case .float64: if let value = try float(&reader, { $0.double }) { store(value.bitPattern) }
        case .float32: if let value = try float32(&reader) { store(value.bitPattern) }
        case .float16: if let value = try float16(&reader) { store(value.bitPattern) }
        case .int64: if let value = try whole(&reader, { $0.int }) { store(value) }
        case .uint64: if let value = try whole(&reader, { $0.uint }) { store(value) }
        case .int8, .uint8: if let value = try narrow(&reader) { store(UInt8(truncatingIfNeeded: value)) }
        case .int16, .uint16: if let value = try narrow(&reader) { store(UInt16(truncatingIfNeeded: value)) }
        case .int32, .uint32: if let value = try narrow(&reader) { store(UInt32(truncatingIfNeeded: value)) }
        case .bool:
            guard try reader.peek() == .bool else { return try refuse(&reader) }
            store(try reader.bool() ? 1 as UInt8 : 0)
        case .text:
            guard try reader.peek() == .string else { return try refuse(&reader) }
            try text(&reader)
        }
    }

    private mutating func refuse(_ reader: inout JSONReader) throws(JSONError) {
        _ = try reader.peek()
        problem = reader.found
        try reader.skip()
    }

    @inline(__always)
    private mutating func store<Bits: FixedWidthInteger & BitwiseCopyable>(_ bits: Bits) {
        let width = MemoryLayout<Bits>.size
        if filled + width > buffer.count { buffer.append(contentsOf: repeatElement(0, count: max(buffer.count, 64))) }
        buffer.withUnsafeMutableBytes { $0.storeBytes(of: bits, toByteOffset: filled, as: Bits.self) }
        filled += width
        count += 1
    }
}

// How one leaf is read; nil when it is a problem.
extension PackedLists {
    private mutating func float(_ reader: inout JSONReader, _ value: (Decimal) -> Double) throws(JSONError) -> Double? {
        switch try reader.peek() {
        case .number:
            let value = value(try reader.decimal())
            guard value.isFinite else { throw reader.failure("wanted a number within the range of a double, found one beyond it") }
            return value
        case .string:
            switch try reader.string() {
            case "NaN": return .nan
            case "Infinity": return .infinity
            case "-Infinity": return -.infinity
            default: problem = "a string"
            }
        default: try refuse(&reader)
        }
        return nil
    }

    private mutating func float32(_ reader: inout JSONReader) throws(JSONError) -> Float? {
        var narrow: Float?
        let wide = try float(&reader) {
            let wide = $0.double
            narrow = $0.float(near: wide)
            return wide
        }
        guard let wide else { return nil }
        guard let narrow else { return Float(wide) }
        guard narrow.isFinite else {
            problem = "\(wide), beyond what a float holds"
            return nil
        }
        return narrow
    }

    private mutating func float16(_ reader: inout JSONReader) throws(JSONError) -> Float16? {
        guard let wide = try float(&reader, { $0.double }) else { return nil }
        let narrow = Float16(wide)
        guard narrow.isFinite || !wide.isFinite else {
            problem = "\(wide), beyond what a half holds"
            return nil
        }
        return narrow
    }

    private mutating func whole<Number>(
        _ reader: inout JSONReader, _ value: (Decimal) -> Number?
    ) throws(JSONError) -> Number? {
        guard try reader.peek() == .number else {
            try refuse(&reader)
            return nil
        }
        let number = try reader.decimal()
        guard let whole = value(number) else {
            problem = try shown(number, reader)
            return nil
        }
        return whole
    }

    private mutating func narrow(_ reader: inout JSONReader) throws(JSONError) -> Int64? {
        guard let whole = try whole(&reader, { $0.int }), let range = kind.range else { return nil }
        guard range.contains(whole) else {
            problem = "\(whole), beyond \(range.lowerBound) to \(range.upperBound)"
            return nil
        }
        return whole
    }

    private func shown(_ number: Decimal, _ reader: JSONReader) throws(JSONError) -> String {
        if number.isWhole, let whole = number.int { return "\(whole)" }
        return "\(try reader.finite(number))"
    }

    private mutating func text(_ reader: inout JSONReader) throws(JSONError) {
        let start = reader.offset + 1
        if try reader.skipString() {
            let content = UnsafeBufferPointer(rebasing: reader.bytes[start..<reader.offset - 1])
            guard content.isUTF8 else { throw reader.failure("wanted UTF-8, found bytes that are not") }
            append(content)
        } else {
            append(try reader.unescaped(UnsafeBufferPointer(rebasing: reader.bytes[start..<reader.offset - 1])).utf8)
        }
        count += 1
    }

    private mutating func append(_ content: some Collection<UInt8>) {
        // The bytes of one document are fewer than 4 GiB: whoever takes bodies in bounds them.
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: content.count).littleEndian) { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: content)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether the bytes are UTF-8. Cost: 8 bytes a step while they are ASCII.
    var isUTF8: Bool {
        var at = 0
        let raw = UnsafeRawBufferPointer(self)
        while at + 8 <= count, raw.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 { at += 8 }
        while at < count, self[at] < 0x80 { at += 1 }
        return at == count || String(validating: self[at...], as: UTF8.self) != nil
    }
}
