// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

extension Signature {
    /// An example of the inputs: ones, `true` and `"foo"`; an open extent counts as 1, and so does an untold shape.
    package func sampleInputs() -> [String: Tensor] { Self.sample(of: inputs) }

    private static func sample(of fields: [Field]) -> [String: Tensor] {
        Dictionary(fields.map { ($0.name, sample(of: $0)) }) { first, _ in first }
    }

    private static func sample(of field: Field) -> Tensor {
        let shape = Shape((field.shape?.dims ?? []).map { $0 == 0 ? 0 : max(1, $0) })
        // A sample is for people to read: beyond some size the shape alone tells the story.
        let count = min(shape.count ?? 1, 1 << 20)
        let dtype = field.dtype == .any ? .double : field.dtype
        return Tensor(dtype, shape, elements(of: field, dtype, count))
    }

    private static func elements(of field: Field, _ dtype: DataType, _ count: Int) -> Tensor.Elements {
        switch dtype {
        case .string: .bytes(Array(repeating: Array("foo".utf8), count: count))
        case .bool: .bool(Array(repeating: true, count: count))
        case .half: .half(Array(repeating: 0x3c00, count: count))
        case .float: .float(Array(repeating: 1, count: count))
        case .double, .any, .invalid: .double(Array(repeating: 1, count: count))
        case .complex64: .float(Array(repeating: 1, count: 2 * count))
        case .complex128: .double(Array(repeating: 1, count: 2 * count))
        case .int64: .int64(Array(repeating: 1, count: count))
        case .uint32: .uint32(Array(repeating: 1, count: count))
        case .uint64: .uint64(Array(repeating: 1, count: count))
        case .map: .maps(Array(repeating: sample(of: field.subfields), count: count))
        case .int8, .int16, .int32, .uint8, .uint16, .qint8, .qint16, .qint32, .quint8, .quint16:
            .int32(Array(repeating: 1, count: count))
        }
    }
}
