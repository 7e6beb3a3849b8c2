// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// The extents of a tensor, outermost first; none for a scalar. In a signature, -1 is any extent.
package struct Shape: Hashable, Sendable {
    package var dims: [Int64]

    package static let scalar = Shape([])
    /// The extent that accepts every other.
    package static let anyExtent: Int64 = -1

    package init(_ dims: [Int64]) { self.dims = dims }

    package var rank: Int { dims.count }

    /// How many elements there are; nil when an extent is open, or when the count exceeds 63 bits.
    package var count: Int? {
        var count = 1
        for dim in dims {
            guard dim >= 0, case let (product, overflow) = count.multipliedReportingOverflow(by: Int(dim)), !overflow else { return nil }
            count = product
        }
        return count
    }

    /// Whether a tensor of the given shape is allowed here: same rank, and equal extents where this one is not open.
    package func accepts(_ other: Shape) -> Bool {
        rank == other.rank && zip(dims, other.dims).allSatisfy { $0 == Self.anyExtent || $0 == $1 }
    }

    /// Whether some tensor satisfies both.
    package func agrees(with other: Shape) -> Bool {
        rank == other.rank && zip(dims, other.dims).allSatisfy { $0 == $1 || $0 == Self.anyExtent || $1 == Self.anyExtent }
    }

    /// The shape of so many elements given as one flat list: at most one open extent is worked out; nil when they don't fill the shape.
    package func filled(by count: Int) -> Shape? {
        var fixed = 1
        var open: Int?
        for (place, dim) in dims.enumerated() {
            if dim == Self.anyExtent {
                guard open == nil else { return nil }
                open = place
            } else {
                guard dim >= 0, case let (product, overflow) = fixed.multipliedReportingOverflow(by: Int(dim)), !overflow else {
                    return nil
                }
                fixed = product
            }
        }
        guard let open else { return fixed == count ? self : nil }
        guard fixed > 0, count % fixed == 0 else { return nil }
        var shape = self
        shape.dims[open] = Int64(count / fixed)
        return shape
    }
}

extension Shape: CustomStringConvertible, ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: Int64...) { dims = elements }
    package var description: String { dims.isEmpty ? "scalar" : "\(dims)" }
}

/// A list of numbers. The empty list is a scalar, and is written: a field without a shape is something else.
extension Shape: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) { dims = try [Int64](from: &reader) }
    package func write(to writer: inout JSONWriter) { dims.write(to: &writer) }
}
