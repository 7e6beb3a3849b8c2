// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why packed bytes cannot be lists.
package enum PackedError: Error, Equatable, Sendable {
    /// The leaf at this place is no UTF-8, which JSON's strings must be.
    case notText(Int)
    /// The bytes are not as many leaves as the lists want.
    case wrongCount
}

extension JSONWriter {
    /// Writes packed leaves as nested lists of the given lengths, outermost first; as one bare leaf where there are none.
    ///
    /// The bytes must be as many leaves as the lengths say. Floats are the shortest text that reads back the same. Text that is no UTF-8
    /// is an error, or is mended with U+FFFD. After an error the text is of no use. Cost: one pass, no list in between.
    package mutating func lists(
        _ leaves: UnsafeRawBufferPointer, of kind: PackedKind, dims: [Int64], mending: Bool = false
    ) throws(PackedError) {
        var text = PackedText(leaves: leaves, kind: kind, mending: mending)
        guard let count = Self.product(dims) else { throw .wrongCount }
        if let width = kind.width {
            guard leaves.count == count.multipliedReportingOverflow(by: width).partialValue else { throw .wrongCount }
        }
        beginPacked(into: &text.bytes)
        defer { endPacked(&text.bytes) }
        text.bytes.reserveCapacity(text.bytes.count + min(count, 1 << 20) * 8 + 16)
        try text.level(dims[...])
        guard text.at == leaves.count else { throw .wrongCount }
    }

    private static func product(_ dims: [Int64]) -> Int? {
        var count = 1
        for dim in dims {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(dim))
            guard dim >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }
}

/// The text of packed leaves, as it grows.
struct PackedText: TextOutputStream {
    let leaves: UnsafeRawBufferPointer
    let kind: PackedKind
    let mending: Bool
    var bytes: [UInt8] = []
    /// The byte of the leaves that is next.
    var at = 0
    private var place = 0

    init(leaves: UnsafeRawBufferPointer, kind: PackedKind, mending: Bool) {
        self.leaves = leaves
        self.kind = kind
        self.mending = mending
    }

    mutating func write(_ string: String) { bytes.append(contentsOf: string.utf8) }

    /// Numbers print themselves through here, with no string in between.
    mutating func _writeASCII(_ buffer: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: buffer) }

    mutating func level(_ dims: ArraySlice<Int64>) throws(PackedError) {
        guard let length = dims.first else { return try leaf() }
        bytes.append(UInt8(ascii: "["))
        let inner = dims.dropFirst()
        for item in 0..<length {
            if item > 0 { bytes.append(UInt8(ascii: ",")) }
            if inner.isEmpty { try leaf() } else { try level(inner) }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func leaf() throws(PackedError) {
        switch kind {
        case .float64: number(next(as: Double.self), below: 0x1p53)
        case .float32: number(next(as: Float.self), below: 0x1p24)
        case .float16: number(Float(Float16(bitPattern: next(as: UInt16.self))), below: 0x1p24)
        case .int8: whole(Int64(next(as: Int8.self)))
        case .int16: whole(Int64(next(as: Int16.self)))
        case .int32: whole(Int64(next(as: Int32.self)))
        case .int64: whole(next(as: Int64.self))
        case .uint8: whole(UInt64(next(as: UInt8.self)), isNegative: false)
        case .uint16: whole(UInt64(next(as: UInt16.self)), isNegative: false)
        case .uint32: whole(UInt64(next(as: UInt32.self)), isNegative: false)
        case .uint64: whole(next(as: UInt64.self), isNegative: false)
        case .bool: write(next(as: UInt8.self) == 0 ? "false" : "true")
        case .text: try text()
        }
        place += 1
    }

    @inline(__always)
    private mutating func next<Value: BitwiseCopyable>(as _: Value.Type) -> Value {
        defer { at += MemoryLayout<Value>.size }
        return leaves.loadUnaligned(fromByteOffset: at, as: Value.self)
    }

    /// `limit`: below it, whole numbers are written digit by digit, as the longer way would.
    @inline(__always)
    private mutating func number<Value: BinaryFloatingPoint & TextOutputStreamable>(_ value: Value, below limit: Value) {
        if value.magnitude < limit, value == value.rounded(.towardZero), !(value == 0 && value.sign == .minus) {
            whole(Int64(value))
            bytes.append(UInt8(ascii: "."))
            bytes.append(UInt8(ascii: "0"))
        } else if value.isFinite {
            value.write(to: &self)
        } else {
            write(value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
        }
    }

    private mutating func whole(_ value: Int64) { whole(value.magnitude, isNegative: value < 0) }

    private mutating func whole(_ magnitude: UInt64, isNegative: Bool) {
        if magnitude < 10, !isNegative { return bytes.append(UInt8(truncatingIfNeeded: magnitude) + 48) }
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { digits in
            var rest = magnitude
            var first = digits.count
            repeat {
                first -= 1
                digits[first] = UInt8(truncatingIfNeeded: rest % 10) + 48
                rest /= 10
            } while rest > 0
            if isNegative {
                first -= 1
                digits[first] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: digits[first...])
        }
    }

    private mutating func text() throws(PackedError) {
        guard leaves.count - at >= 4 else { throw .wrongCount }
        let length = Int(UInt32(littleEndian: next(as: UInt32.self)))
        guard length <= leaves.count - at else { throw .wrongCount }
        let content = UnsafeRawBufferPointer(rebasing: leaves[at..<at + length])
        at += length
        bytes.append(UInt8(ascii: "\""))
        if content.bindMemory(to: UInt8.self).isUTF8 {
            JSONWriter.escape(content, into: &bytes)
        } else if mending {
            var mended = String(decoding: content, as: UTF8.self)
            mended.withUTF8 { JSONWriter.escape(UnsafeRawBufferPointer($0), into: &bytes) }
        } else {
            throw .notText(place)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
