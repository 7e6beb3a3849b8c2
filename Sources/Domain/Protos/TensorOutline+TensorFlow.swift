// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract

// `tensorflow.TensorProto` numbers its values as Hydrosphere's tensor does; shapes and two rules differ.
extension TensorOutline {
    /// Walks an encoded `TensorProto`. A list shorter than the shape counts as full: its last element stands for the rest.
    ///
    /// No shape is a scalar, as TensorFlow reads it; an unknown rank is a shape that is not told; names of extents say nothing.
    init(scanningTensorFlow bytes: UnsafeRawBufferPointer) throws(ProtoError) {
        var scan = ProtoScan(bytes)
        var binary = 0
        var told = TensorFlowShape()
        while let (number, type) = try scan.field() {
            if number == TensorField.dtype, type == .varint {
                dtype = DataType(number: Int(truncatingIfNeeded: try scan.varint()))
                continue
            }
            let content = try scan.content(of: type)
            guard type == .chunk else { continue }
            if number == TensorField.shape { try told.read(content) }
            if number == TensorField.binary { binary = content.count }
        }
        shape = told.isUnknown ? nil : Shape(told.dims)
        // The two numbers that only Hydrosphere gives a meaning.
        if dtype == .map || dtype == .any { dtype = .invalid }
        guard let values = TensorField.values(of: dtype) else { return }
        if binary > 0 {
            guard let width = dtype.width, binary % width == 0 else { throw PlainValues.odd(binary, dtype) }
            (count, listed) = (binary / width, binary / width)
            return
        }
        scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            if number == values { listed += try Self.numbers(in: content, of: dtype, type) }
        }
        if dtype.isComplex {
            guard listed % 2 == 0 else { throw Self.unpaired }
            listed /= 2
        }
        count = max(listed, shape?.count ?? 0)
    }
}

/// A `tensorflow.TensorShapeProto`.
private struct TensorFlowShape {
    var dims: [Int64] = []
    var isUnknown = false

    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(ProtoError) {
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            if number == 3, type == .varint {
                isUnknown = try scan.varint() != 0
                continue
            }
            let content = try scan.content(of: type)
            guard number == 2, type == .chunk else { continue }
            dims.append(try Self.size(content))
            guard dims.count <= TensorOutline.maxRank else {
                throw ProtoError("wanted at most \(TensorOutline.maxRank) dimensions, found more")
            }
        }
    }

    private static func size(_ bytes: UnsafeRawBufferPointer) throws(ProtoError) -> Int64 {
        var size: UInt64 = 0
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            if number == 1, type == .varint { size = try scan.varint() } else { _ = try scan.content(of: type) }
        }
        return Int64(bitPattern: size)
    }
}
