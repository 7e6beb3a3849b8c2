// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

extension TensorJSON {
    /// Writes the declared tensors as one object, in the order of the fields; the others are left out.
    package static func write(_ tensors: [String: Tensor], as fields: [Field], to writer: inout JSONWriter) {
        writer.beginObject()
        for field in fields {
            guard let tensor = tensors[field.name] else { continue }
            writer.key(field.name)
            write(tensor, field.subfields, to: &writer)
        }
        writer.endObject()
    }

    private static func write(_ tensor: Tensor, _ subfields: [Field], to writer: inout JSONWriter) {
        switch tensor.elements {
        case .double(let values): nest(tensor, values.count, &writer) { number(values[$0], &$1) }
        case .float(let values): nest(tensor, values.count, &writer) { number(values[$0], &$1) }
        case .half(let bits): nest(tensor, bits.count, &writer) { number(Float(Float16(bitPattern: bits[$0])), &$1) }
        case .int32(let values): nest(tensor, values.count, &writer) { $1.int(values[$0]) }
        case .int64(let values): nest(tensor, values.count, &writer) { $1.int(values[$0]) }
        case .uint32(let values): nest(tensor, values.count, &writer) { $1.int(values[$0]) }
        case .uint64(let values): nest(tensor, values.count, &writer) { $1.int(values[$0]) }
        case .bool(let values): nest(tensor, values.count, &writer) { $1.bool(values[$0]) }
        case .bytes(let values): nest(tensor, values.count, &writer) { $1.string(String(decoding: values[$0], as: UTF8.self)) }
        case .maps(let values): nest(tensor, values.count, &writer) { write(values[$0], as: subfields, to: &$1) }
        }
    }

    /// Lists by extents around the stored values. Values that don't fill the shape, or have none, are one flat list.
    private static func nest(
        _ tensor: Tensor, _ stored: Int, _ writer: inout JSONWriter, _ value: (Int, inout JSONWriter) -> Void
    ) {
        var dims = tensor.shape?.dims ?? [Int64(stored)]
        if tensor.dtype.isComplex, tensor.shape != nil {
            if let last = dims.popLast() { dims.append(last.multipliedReportingOverflow(by: 2).partialValue) } else { dims = [2] }
        }
        // Nothing in many lists of lists is still nothing: a model cannot make us write a billion brackets.
        if Shape(dims).count != stored || stored == 0 { dims = [Int64(stored)] }
        var place = 0
        level(dims[...], &place, &writer, value)
    }

    private static func level(
        _ dims: ArraySlice<Int64>, _ place: inout Int, _ writer: inout JSONWriter, _ value: (Int, inout JSONWriter) -> Void
    ) {
        guard let extent = dims.first else {
            value(place, &writer)
            place += 1
            return
        }
        writer.beginArray()
        for _ in 0..<extent { level(dims.dropFirst(), &place, &writer, value) }
        writer.endArray()
    }

    private static func number(_ value: some BinaryFloatingPoint & LosslessStringConvertible, _ writer: inout JSONWriter) {
        if value.isFinite {
            writer.double(value)
        } else {
            writer.string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
    }
}
