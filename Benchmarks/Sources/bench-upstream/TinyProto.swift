// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Just as much of protobuf's encoding as two answers need; field numbers are those of the protocols.
enum TinyProto {
    /// A `hydrosphere.serving.runtime.PredictResponse` with one output of doubles.
    static func predictResponse(_ name: String, _ shape: [Int], _ values: [Double]) -> [UInt8] {
        let dims = shape.isEmpty ? [] : chunk(1, shape.flatMap { varint($0) })
        // DT_DOUBLE is 2; shape is field 2, double_val field 6.
        let tensor = varint(1 << 3) + varint(2) + chunk(2, dims) + chunk(6, littleEndian(values))
        return chunk(1, chunk(1, Array(name.utf8)) + chunk(2, tensor))
    }

    /// An `inference.ModelInferResponse` with one output of doubles, as raw contents.
    static func modelInferResponse(_ name: String, _ shape: [Int], _ values: [Double]) -> [UInt8] {
        let dims = chunk(3, (shape.isEmpty ? [values.count] : shape).flatMap { varint($0) })
        let output = chunk(1, Array(name.utf8)) + chunk(2, Array("FP64".utf8)) + dims
        return chunk(1, Array("bench".utf8)) + chunk(5, output) + chunk(6, littleEndian(values))
    }

    private static func chunk(_ field: Int, _ bytes: [UInt8]) -> [UInt8] { varint(field << 3 | 2) + varint(bytes.count) + bytes }

    private static func varint(_ number: Int) -> [UInt8] {
        number < 128 ? [UInt8(number)] : [UInt8(number & 127 | 128)] + varint(number >> 7)
    }

    private static func littleEndian(_ values: [Double]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
}
