// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract

/// A tensor as it is about to be written in an encoding: what leads it, and its values, which are copied only then.
struct TensorForm {
    /// What the written tensor is; a shape that the sender did not tell has become a list.
    var outline: TensorOutline
    private var head: [UInt8] = []
    /// The field that the values are one chunk of; nil where they have their own tags, or need none.
    private var field: Int?
    private var values: ArraySlice<UInt8>

    /// Cost: nothing is copied where the encodings agree about the values; else one pass over them.
    init(_ entry: WireTensors.Entry, as encoding: TensorEncoding) throws(ProtoError) {
        outline = entry.outline
        values = entry.bytes
        guard entry.encoding != encoding else { return }
        let dtype = outline.dtype
        guard encoding.carries(dtype) else { throw ProtoError("wanted a type that \(encoding.name) carries, found \(dtype.rawValue)") }
        if let shape = outline.shape {
            guard let count = shape.count else { throw TensorOutline.unfit(shape) }
            guard outline.count == count else { throw ProtoError("wanted \(count) elements for shape \(shape), found \(outline.count)") }
        }
        // TensorFlow's rule about short lists needs no care where the list is as long as the shape says.
        if encoding != .raw, entry.encoding != .raw, let kept = try Self.kept(entry) {
            values = kept
        } else {
            values = try PlainValues(entry).bytes
            if encoding != .raw { try dress() }
        }
        if encoding != .hydrosphere || entry.encoding == .raw, outline.shape == nil { outline.shape = Shape([Int64(outline.count)]) }
        outline.listed = outline.count
        if encoding != .raw { head = Self.head(outline, encoding) }
    }

    var size: Int {
        guard let field else { return head.count + values.count }
        return head.count + ProtoWriter.chunkSize(values.count, field: field)
    }

    func write(to writer: inout ProtoWriter) {
        writer.bytes.append(contentsOf: head)
        if let field { writer.open(field: field, size: values.count) }
        writer.bytes.append(contentsOf: values)
    }

    func bytes() -> ArraySlice<UInt8> {
        if head.isEmpty, field == nil { return values }
        var writer = ProtoWriter()
        writer.bytes.reserveCapacity(size)
        write(to: &writer)
        return writer.bytes[...]
    }

    /// The fields that hold the values, tags and all: both protocols number them alike. Nil where they must be looked at.
    private static func kept(_ entry: WireTensors.Entry) throws(ProtoError) -> ArraySlice<UInt8>? {
        guard entry.outline.dtype != .map, !entry.outline.isShort else { return nil }
        let wanted = TensorField.values(of: entry.outline.dtype)
        return try entry.bytes.scanning { (bytes) throws(ProtoError) in
            var kept: [UnsafeRawBufferPointer] = []
            var binary = 0
            var scan = ProtoScan(bytes)
            while true {
                let start = scan.offset
                guard let (number, type) = try scan.field() else { break }
                let content = try scan.content(of: type)
                if number == TensorField.binary { binary = content.count }
                guard number == wanted || number == TensorField.binary else { continue }
                kept.append(UnsafeRawBufferPointer(rebasing: bytes[start..<scan.offset]))
            }
            // One of the protocols prefers raw bytes to typed values, the other the reverse.
            if binary > 0 {
                guard kept.count == 1, let width = entry.outline.dtype.width, binary % width == 0 else { return nil }
            }
            if kept.count == 1 { return entry.bytes.part(kept[0], of: bytes) }
            return kept.flatMap { $0 }[...]
        }
    }

    /// Turns plain values into the typed field of both protocol buffers.
    private mutating func dress() throws(ProtoError) {
        let dtype = outline.dtype
        guard let number = TensorField.values(of: dtype) else { return }
        if dtype == .string {
            values = try RawStrings.tagged(values, field: number)[...]
            return
        }
        field = values.isEmpty ? nil : number
        guard TensorField.fixedWidth(of: dtype) == nil else { return }
        values = values.withUnsafeBytes { Self.packed($0, dtype) }.map { $0[...] } ?? values
    }

    /// Plain numbers as numbers of varying length; nil where the two are the same bytes.
    static func packed(_ bytes: UnsafeRawBufferPointer, _ dtype: DataType) -> [UInt8]? {
        switch dtype {
        case .bool: bytes.contains { $0 > 1 } ? bytes.map { $0 == 0 ? 0 : 1 } : nil
        case .uint8, .quint8: bytes.contains { $0 >= 0x80 } ? Varints.packed(bytes, of: UInt8.self) : nil
        case .int8, .qint8: bytes.contains { $0 >= 0x80 } ? Varints.packed(bytes, of: Int8.self) : nil
        case .int16, .qint16: Varints.packed(bytes, of: Int16.self)
        case .half, .uint16, .quint16: Varints.packed(bytes, of: UInt16.self)
        case .int32, .qint32: Varints.packed(bytes, of: Int32.self)
        case .uint32: Varints.packed(bytes, of: UInt32.self)
        case .int64: Varints.packed(bytes, of: Int64.self)
        case .uint64: Varints.packed(bytes, of: UInt64.self)
        case .float, .double, .complex64, .complex128, .string, .map, .any, .invalid: nil
        }
    }

    /// Type and shape.
    private static func head(_ outline: TensorOutline, _ encoding: TensorEncoding) -> [UInt8] {
        var writer = ProtoWriter()
        writer.number(UInt64(outline.dtype.number), field: TensorField.dtype)
        guard let shape = outline.shape else { return writer.bytes }
        var inner = ProtoWriter()
        if encoding == .tensorflow {
            for dim in shape.dims {
                inner.open(field: 2, size: dim == 0 ? 0 : 1 + ProtoWriter.size(UInt64(bitPattern: dim)))
                if dim != 0 { inner.number(UInt64(bitPattern: dim), field: 1) }
            }
        } else if !shape.dims.isEmpty {
            inner.open(field: 1, size: shape.dims.reduce(0) { $0 + ProtoWriter.size(UInt64(bitPattern: $1)) })
            for dim in shape.dims { inner.varint(UInt64(bitPattern: dim)) }
        }
        writer.chunk(inner.bytes, field: TensorField.shape)
        return writer.bytes
    }
}
