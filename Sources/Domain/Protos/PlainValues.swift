// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract

/// The elements of a tensor, whatever its encoding, laid out as raw tensors have them.
struct PlainValues {
    /// How much one repeated element may grow to: TensorFlow lets a few bytes stand for any number of elements.
    static let maxRepeated = 64 << 20

    private(set) var bytes: ArraySlice<UInt8>
    private var pieces: [UInt8] = []

    /// Cost: a slice where the values are little-endian in one piece, else one pass.
    init(_ entry: WireTensors.Entry) throws(ProtoError) {
        bytes = entry.bytes
        guard entry.encoding != .raw else { return }
        let outline = entry.outline
        bytes = try entry.bytes.scanning { (whole) throws(ProtoError) in
            try values(of: outline, in: whole, of: entry.bytes, entry.encoding)
        }
        if outline.isShort { try fill(outline) }
    }

    private mutating func values(
        of outline: TensorOutline, in whole: UnsafeRawBufferPointer, of slice: ArraySlice<UInt8>, _ encoding: TensorEncoding
    ) throws(ProtoError) -> ArraySlice<UInt8> {
        let dtype = outline.dtype
        let field = TensorField.values(of: dtype)
        let isFixed = TensorField.fixedWidth(of: dtype) != nil
        var binary = slice[slice.startIndex..<slice.startIndex]
        var only: ArraySlice<UInt8>?
        var scan = ProtoScan(whole)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            if number == TensorField.binary, type == .chunk { binary = slice.part(content, of: whole) }
            guard number == field, !content.isEmpty || dtype == .string else { continue }
            if isFixed, only == nil, pieces.isEmpty {
                only = slice.part(content, of: whole)
                continue
            }
            if let first = only {
                pieces.append(contentsOf: first)
                only = nil
            }
            try Self.append(content, dtype, to: &pieces)
        }
        let typed = only ?? pieces[...]
        guard !binary.isEmpty, encoding == .tensorflow || typed.isEmpty else { return typed }
        guard let width = dtype.width, binary.count % width == 0 else { throw Self.odd(binary.count, dtype) }
        return binary
    }

    static func odd(_ count: Int, _ dtype: DataType) -> ProtoError {
        guard let width = dtype.width else { return ProtoError("wanted typed values for \(dtype.rawValue), found raw bytes") }
        return ProtoError("wanted elements of \(width) bytes, found \(count) bytes")
    }

    static func append(
        _ content: UnsafeRawBufferPointer, _ dtype: DataType, to pieces: inout [UInt8]
    ) throws(ProtoError) {
        switch dtype {
        case .float, .double, .complex64, .complex128: pieces.append(contentsOf: content)
        case .string: try RawStrings.append(content, to: &pieces)
        case .bool:
            var scan = ProtoScan(content)
            while scan.offset < content.count { pieces.append(try scan.varint() == 0 ? 0 : 1) }
        case .int8, .qint8: try Varints.unpack(content, as: Int8.self, into: &pieces)
        case .uint8, .quint8: try Varints.unpack(content, as: UInt8.self, into: &pieces)
        case .int16, .qint16: try Varints.unpack(content, as: Int16.self, into: &pieces)
        case .uint16, .quint16, .half: try Varints.unpack(content, as: UInt16.self, into: &pieces)
        case .int32, .qint32: try Varints.unpack(content, as: Int32.self, into: &pieces)
        case .uint32: try Varints.unpack(content, as: UInt32.self, into: &pieces)
        case .int64: try Varints.unpack(content, as: Int64.self, into: &pieces)
        case .uint64: try Varints.unpack(content, as: UInt64.self, into: &pieces)
        case .map, .any, .invalid: throw ProtoError("wanted a type that TensorFlow carries, found \(dtype.rawValue)")
        }
    }

    /// TensorFlow's rule: the last element of a short list stands for all that are missing, and zero where there is none.
    private mutating func fill(_ outline: TensorOutline) throws(ProtoError) {
        let last = try lastElement(outline)
        let missing = outline.count - outline.listed
        guard case let (size, overflow) = missing.multipliedReportingOverflow(by: last.count), !overflow, size <= Self.maxRepeated else {
            throw ProtoError("wanted at most \(Self.maxRepeated) bytes of a repeated element, found a shape of \(outline.count) elements")
        }
        var block = last
        while block.count < 4096, block.count < size { block += block }
        var filled = Array(bytes)
        let end = filled.count + size
        filled.reserveCapacity(end)
        while filled.count < end { filled.append(contentsOf: block.prefix(end - filled.count)) }
        bytes = filled[...]
    }

    private func lastElement(_ outline: TensorOutline) throws(ProtoError) -> [UInt8] {
        if let width = outline.dtype.width { return outline.listed == 0 ? Array(repeating: 0, count: width) : Array(bytes.suffix(width)) }
        guard outline.listed > 0 else { return [0, 0, 0, 0] }
        // The last string begins where the walk over the others ends.
        var start = bytes.startIndex
        for _ in 1..<outline.listed {
            start += 4 + bytes[start..<start + 4].withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
        }
        return Array(bytes[start...])
    }
}
