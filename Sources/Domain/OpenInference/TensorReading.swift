// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import Protos

/// One tensor of a request's JSON.
struct TensorReading {
    private(set) var name: String?
    private var dtype: DataType?
    private var strangeType: String?
    private var dims: [Int64]?
    private var strangeShape: String?
    private var parameters = InferParameters.none
    private var parameterProblem: String?
    private var size: Int?
    private var values: PackedLists?
    /// Where data stand that came before their type.
    private var early: JSONReader?

    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        var seen = KeySet()
        try reader.object { (reader, key) throws(JSONError) in
            if key.reads("name") {
                try seen.add(0, "name", reader)
                name = try reader.string()
            } else if key.reads("shape") {
                try seen.add(1, "shape", reader)
                try readShape(&reader)
            } else if key.reads("datatype") {
                try seen.add(2, "datatype", reader)
                try readType(&reader)
            } else if key.reads("data") {
                try seen.add(3, "data", reader)
                try readValues(&reader)
            } else if key.reads("parameters") {
                try seen.add(4, "parameters", reader)
                var given = try ParameterReading(&reader)
                size = given.takeSize("binary_data_size")
                parameters = given.parameters
                parameterProblem = given.problems.first
            } else {
                return false
            }
            return true
        }
        if var late = early, let dtype, let kind = dtype.packed {
            var lists = PackedLists(kind, expecting: dims.flatMap { Shape($0).count } ?? 0)
            try lists.read(&late)
            values = lists
        }
    }

    private mutating func readType(_ reader: inout JSONReader) throws(JSONError) {
        let text = try reader.string()
        var copy = text
        dtype = copy.withUTF8 { DataType(openInference: UnsafeRawBufferPointer($0)) }
        if dtype == nil { strangeType = String(text.prefix(32)) }
    }

    private mutating func readShape(_ reader: inout JSONReader) throws(JSONError) {
        var dims: [Int64] = []
        var strange: String?
        try reader.array { (reader, _) throws(JSONError) in
            guard try reader.peek() == .number else {
                strange = reader.found
                return try reader.skip()
            }
            let dim = try reader.int()
            if dim < 0 { strange = "\(dim)" }
            guard dims.count < TensorOutline.maxRank else {
                strange = "more than \(TensorOutline.maxRank) dimensions"
                return
            }
            dims.append(dim)
        }
        self.dims = dims
        strangeShape = strange
    }

    private mutating func readValues(_ reader: inout JSONReader) throws(JSONError) {
        guard let kind = dtype?.packed else {
            early = reader
            return try reader.skip()
        }
        var lists = PackedLists(kind, expecting: dims.flatMap { Shape($0).count } ?? 0)
        try lists.read(&reader)
        values = lists
    }

    /// The tensor; its bytes are what was read, or the next of the binary part. Errors do not name it.
    func entry(taking rest: inout ArraySlice<UInt8>) throws(ProtoError) -> WireTensors.Entry {
        // Whatever else is wrong, the bytes are this tensor's and not the next one's.
        var binary: ArraySlice<UInt8>?
        if let size {
            guard size <= rest.count else { throw ProtoError("wanted \(size) bytes after the JSON, found \(rest.count)") }
            binary = rest.prefix(size)
            rest = rest.dropFirst(size)
        }
        if let strangeType { throw ProtoError(DataType.unknown(openInference: strangeType)) }
        guard let dtype else { throw ProtoError("wanted a datatype, found none") }
        guard let dims else { throw ProtoError("wanted a shape, found none") }
        if let strangeShape { throw ProtoError("wanted a shape of whole numbers from 0, found \(strangeShape)") }
        if let parameterProblem { throw ProtoError(parameterProblem) }
        let shape = Shape(dims)
        guard let count = shape.count else { throw ProtoError("wanted extents whose product is below 2^63, found shape \(shape)") }
        let bytes: ArraySlice<UInt8>
        switch (values, binary) {
        case (let values?, nil):
            try Self.check(values, shape, count, dtype)
            bytes = values.bytes()[...]
        case (nil, let binary?): bytes = binary
        case (nil, nil): throw ProtoError("wanted data, found none")
        case (_?, _?): throw ProtoError("wanted data or binary data, found both")
        }
        let outline = binary == nil ? TensorOutline(dtype, shape, count: count) : try TensorOutline(raw: bytes, dtype, shape)
        return WireTensors.Entry(name: name ?? "", outline: outline, encoding: .raw, bytes: bytes, parameters: parameters)
    }

    /// One flat list of as many elements as the shape says, or lists by extents; for a scalar also the bare value.
    private static func check(_ values: PackedLists, _ shape: Shape, _ count: Int, _ dtype: DataType) throws(ProtoError) {
        let wanted = dtype.openInferenceName ?? ""
        if let problem = values.problem { throw ProtoError("wanted \(wanted) data, found \(problem)") }
        if values.isRagged { throw ProtoError("wanted lists of equal length and depth, found others") }
        if values.dims.count == 1 || values.dims.isEmpty && shape.dims.isEmpty {
            guard values.count == count else { throw ProtoError("wanted \(count) elements for shape \(shape), found \(values.count)") }
            return
        }
        guard !values.dims.isEmpty else { throw ProtoError("wanted a list of data, found a single value") }
        guard values.dims == shape.dims else {
            throw ProtoError("wanted one flat list or lists of shape \(shape), found lists of shape \(Shape(values.dims))")
        }
    }
}

extension DataType {
    /// How JSON's values of the type are packed; nil for types that the protocol has not.
    var packed: PackedKind? {
        switch self {
        case .bool: .bool
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .uint8: .uint8
        case .uint16: .uint16
        case .uint32: .uint32
        case .uint64: .uint64
        case .half: .float16
        case .float: .float32
        case .double: .float64
        case .string: .text
        case .map, .any, .invalid, .complex64, .complex128, .qint8, .qint16, .qint32, .quint8, .quint16: nil
        }
    }
}
