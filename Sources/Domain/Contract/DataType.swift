// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// What the elements of a tensor are.
///
/// The raw value is the name that manifests use; `init(name:)` takes the other spellings too.
package enum DataType: String, CaseIterable, Sendable, Hashable {
    case string, bool
    case half, float, double
    case int8, int16, int32, int64
    case uint8, uint16, uint32, uint64
    case qint8, qint16, qint32, quint8, quint16
    case complex64, complex128
    /// An object with named fields of its own.
    case map
    /// In a signature: a tensor of any type. Never the type of a tensor.
    case any
    /// A name or number that is not in the list. Validation refuses it.
    case invalid

    /// The types that a manifest may name.
    package static let known = allCases.filter { $0 != .invalid }

    /// The type by its name or by an alias (`float16`, `float32`, `float64`).
    package init?(name: String) {
        switch name {
        case "float16": self = .half
        case "float32": self = .float
        case "float64": self = .double
        default:
            guard let known = DataType(rawValue: name), known != .invalid else { return nil }
            self = known
        }
    }

    /// The number in protocol buffers, the same as TensorFlow's.
    package var number: Int {
        switch self {
        case .invalid: 0
        case .float: 1
        case .double: 2
        case .int32: 3
        case .uint8: 4
        case .int16: 5
        case .int8: 6
        case .string: 7
        case .complex64: 8
        case .int64: 9
        case .bool: 10
        case .qint8: 11
        case .quint8: 12
        case .qint32: 13
        case .qint16: 15
        case .quint16: 16
        case .uint16: 17
        case .complex128: 18
        case .half: 19
        case .uint32: 22
        case .uint64: 23
        case .any: 24
        case .map: 27
        }
    }

    /// The type by its number; `invalid` for a number that is not in the list.
    package init(number: Int) {
        self = number >= 0 && number < Self.byNumber.count ? Self.byNumber[number] : .invalid
    }

    private static let byNumber: [DataType] = {
        var table = [DataType](repeating: .invalid, count: 28)
        for type in allCases { table[type.number] = type }
        return table
    }()

    /// Whether each element is a pair of numbers, the real and the imaginary part.
    package var isComplex: Bool { self == .complex64 || self == .complex128 }

    /// The whole numbers that an element can be, where the elements are whole and narrower than 64 bits.
    package var range: ClosedRange<Int64>? {
        switch self {
        case .int8, .qint8: -0x80...0x7f
        case .uint8, .quint8: 0...0xff
        case .int16, .qint16: -0x8000...0x7fff
        case .uint16, .quint16: 0...0xffff
        case .int32, .qint32: -0x8000_0000...0x7fff_ffff
        case .uint32: 0...0xffff_ffff
        default: nil
        }
    }

    /// Bytes of one element in a packed array; nil where elements have no fixed size.
    package var width: Int? {
        switch self {
        case .bool, .int8, .uint8, .qint8, .quint8: 1
        case .half, .int16, .uint16, .qint16, .quint16: 2
        case .float, .int32, .uint32, .qint32: 4
        case .double, .int64, .uint64, .complex64: 8
        case .complex128: 16
        case .string, .map, .any, .invalid: nil
        }
    }
}

/// A name that is not in the list is read as `invalid`, so that one odd object does not hide a whole list of good ones.
extension DataType: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = DataType(name: try reader.string()) ?? .invalid
    }
    package func write(to writer: inout JSONWriter) { writer.string(rawValue) }
}
