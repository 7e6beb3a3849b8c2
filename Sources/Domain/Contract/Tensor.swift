// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Values of one type in row-major order, with their shape.
package struct Tensor: Hashable, Sendable {
    /// The elements, stored as the wire stores them: narrow integers as 32 bits, halves as bit patterns,
    /// complex numbers as real and imaginary parts in turn.
    package enum Elements: Hashable, Sendable {
        case bool([Bool])
        case int32([Int32])
        case int64([Int64])
        case uint32([UInt32])
        case uint64([UInt64])
        case half([UInt16])
        case float([Float])
        case double([Double])
        /// Strings are UTF-8, but any bytes may come and go.
        case bytes([[UInt8]])
        case maps([[String: Tensor]])
    }

    package var dtype: DataType
    /// Nil: the sender did not tell.
    package var shape: Shape?
    package var elements: Elements

    package init(_ dtype: DataType, _ shape: Shape?, _ elements: Elements) {
        self.dtype = dtype
        self.shape = shape
        self.elements = elements
    }

    /// A tensor of strings.
    package static func strings(_ values: [String], _ shape: Shape?) -> Tensor {
        Tensor(.string, shape, .bytes(values.map { Array($0.utf8) }))
    }

    /// How many elements there are; a complex number is one.
    package var count: Int {
        let stored =
            switch elements {
            case .bool(let values): values.count
            case .int32(let values): values.count
            case .int64(let values): values.count
            case .uint32(let values): values.count
            case .uint64(let values): values.count
            case .half(let values): values.count
            case .float(let values): values.count
            case .double(let values): values.count
            case .bytes(let values): values.count
            case .maps(let values): values.count
            }
        return dtype.isComplex ? stored / 2 : stored
    }
}
