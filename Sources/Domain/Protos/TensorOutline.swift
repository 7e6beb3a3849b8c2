// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract

/// All that a check needs of an encoded tensor: its values stay where they are.
package struct TensorOutline: TensorOutlining, Hashable, Sendable {
    package var dtype = DataType.invalid
    package var shape: Shape?
    package var count = 0
    package var entries: [[String: TensorOutline]] = []
    /// How many elements are written out; fewer than `count` where TensorFlow's last one stands for the rest.
    var listed = 0

    package init() {}

    package init(_ dtype: DataType, _ shape: Shape?, count: Int) {
        self.dtype = dtype
        self.shape = shape
        self.count = count
        listed = count
    }

    var isShort: Bool { listed < count }

    static let unpaired = ProtoError("wanted real and imaginary parts in pairs, found an odd count")

    static func unfit(_ shape: Shape) -> ProtoError {
        ProtoError("wanted extents from 0 whose product is below 2^63, found shape \(shape)")
    }
}

/// The fields of `hydrosphere.serving.contract.Tensor`.
enum TensorField {
    static let dtype = 1
    static let shape = 2
    static let binary = 4
    static let map = 27

    /// The field that holds the values of a type; nil for types that no tensor has.
    static func values(of dtype: DataType) -> Int? {
        switch dtype {
        case .float: 5
        case .double: 6
        case .int8, .int16, .int32, .uint8, .uint16, .qint8, .qint16, .qint32, .quint8, .quint16: 7
        case .string: 8
        case .complex64: 9
        case .int64: 10
        case .bool: 11
        case .complex128: 12
        case .half: 13
        case .uint32: 16
        case .uint64: 17
        case .map: map
        case .any, .invalid: nil
        }
    }

    /// Bytes of one number in a packed list of fixed width; nil where widths vary.
    static func fixedWidth(of dtype: DataType) -> Int? {
        switch dtype {
        case .float, .complex64: 4
        case .double, .complex128: 8
        default: nil
        }
    }
}

extension TensorOutline {
    /// Walks an encoded tensor. Cost: one pass over its bytes at most; allocates for maps and the shape only.
    init(scanning bytes: UnsafeRawBufferPointer, depth: Int = 0) throws(ProtoError) {
        guard depth < ProtoScan.maxDepth else { throw ProtoError("wanted at most \(ProtoScan.maxDepth) levels of maps, found more") }
        var binary = 0
        // A type may follow its values, so the values wait for a second look.
        (dtype, shape, binary) = try Self.head(of: bytes)
        guard let values = TensorField.values(of: dtype) else { return }
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            guard number == values else { continue }
            if dtype == .map {
                guard type == .chunk else { throw ProtoError("wanted a message in field \(number), found a number") }
                entries.append(try Self.map(content, depth: depth))
                count += 1
            } else {
                count += try Self.numbers(in: content, of: dtype, type)
            }
        }
        if dtype.isComplex {
            guard count % 2 == 0 else { throw Self.unpaired }
            count /= 2
        }
        if count == 0, binary > 0, let width = dtype.width { count = binary % width == 0 ? binary / width : 0 }
        listed = count
    }

    static func head(of bytes: UnsafeRawBufferPointer) throws(ProtoError) -> (DataType, Shape?, binary: Int) {
        var (dtype, shape, binary) = (DataType.invalid, Shape?.none, 0)
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            if number == TensorField.dtype, type == .varint {
                dtype = DataType(number: Int(truncatingIfNeeded: try scan.varint()))
                continue
            }
            let content = try scan.content(of: type)
            guard type == .chunk else { continue }
            // The parts of a message that comes in several pieces add up.
            if number == TensorField.shape {
                shape = Shape((shape?.dims ?? []) + (try dims(in: content)))
                guard shape?.rank ?? 0 <= Self.maxRank else { throw ProtoError("wanted at most \(Self.maxRank) dimensions, found more") }
            }
            if number == TensorField.binary { binary = content.count }
        }
        return (dtype, shape, binary)
    }

    /// More dimensions than any model has; what walks them may recurse.
    package static let maxRank = 64

    static func dims(in bytes: UnsafeRawBufferPointer) throws(ProtoError) -> [Int64] {
        var dims: [Int64] = []
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            guard number == 1, type == .chunk || type == .varint else { continue }
            var packed = ProtoScan(content)
            while packed.offset < content.count { dims.append(Int64(bitPattern: try packed.varint())) }
            guard dims.count <= Self.maxRank else { throw ProtoError("wanted at most \(Self.maxRank) dimensions, found more") }
        }
        return dims
    }

    static func numbers(
        in content: UnsafeRawBufferPointer, of dtype: DataType, _ type: ProtoScan.WireType
    ) throws(ProtoError) -> Int {
        if dtype == .string {
            guard type == .chunk else { throw ProtoError("wanted bytes for a string, found a number") }
            return 1
        }
        if let width = TensorField.fixedWidth(of: dtype) {
            guard type != .varint, content.count % width == 0 else { throw ProtoError("wanted numbers of \(width) bytes, found others") }
            return content.count / width
        }
        guard type == .chunk || type == .varint else { throw ProtoError("wanted whole numbers, found others") }
        if let last = content.last, last >= 0x80 { throw .truncated }
        return ProtoScan.varints(in: content)
    }

    private static func map(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(ProtoError) -> [String: TensorOutline] {
        var outlines: [String: TensorOutline] = [:]
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            guard number == 1, type == .chunk else { continue }
            let (name, tensor) = try MapEntry.parts(of: content)
            outlines[name] = try TensorOutline(scanning: tensor, depth: depth + 1)
        }
        return outlines
    }
}

/// One entry of a `map<string, Tensor>`.
enum MapEntry {
    /// The key and the bytes of the tensor; either may be left out when it is empty.
    static func parts(of bytes: UnsafeRawBufferPointer) throws(ProtoError) -> (name: String, tensor: UnsafeRawBufferPointer) {
        var name = ""
        var tensor = UnsafeRawBufferPointer(rebasing: bytes[..<0])
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            guard type == .chunk else { continue }
            if number == 1 { name = try content.text() }
            if number == 2 { tensor = content }
        }
        return (name, tensor)
    }
}
