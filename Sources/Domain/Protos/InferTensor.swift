// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract

extension DataType {
    /// The type's name in the Open Inference Protocol; nil where it has none.
    package var openInferenceName: String? {
        switch self {
        case .bool: "BOOL"
        case .uint8: "UINT8"
        case .uint16: "UINT16"
        case .uint32: "UINT32"
        case .uint64: "UINT64"
        case .int8: "INT8"
        case .int16: "INT16"
        case .int32: "INT32"
        case .int64: "INT64"
        case .half: "FP16"
        case .float: "FP32"
        case .double: "FP64"
        case .string: "BYTES"
        case .map, .any, .invalid, .complex64, .complex128, .qint8, .qint16, .qint32, .quint8, .quint16: nil
        }
    }

    /// The type by its name in the Open Inference Protocol; nil for every other name, `BF16` among them.
    package init?(openInference name: UnsafeRawBufferPointer) {
        guard let known = Self.openInference.first(where: { $0.name.elementsEqual(name) }) else { return nil }
        self = known.type
    }

    /// Why a name is no type.
    package static func unknown(openInference name: String) -> String {
        name == "BF16"
            ? "wanted a datatype that models here can have, found BF16"
            : "wanted one of \(openInference.map { String(decoding: $0.name, as: UTF8.self) }.joined(separator: ", ")), found \"\(name)\""
    }

    // The common ones first.
    private static let openInference: [(name: [UInt8], type: DataType)] =
        ([.float, .double, .int64, .int32, .string, .bool, .uint8, .half, .int8, .int16, .uint16, .uint32, .uint64] as [DataType])
        .map { (Array(($0.openInferenceName ?? "").utf8), $0) }
}

extension TensorOutline {
    /// The outline of raw contents: the bytes must be as many as type and shape say. Errors do not name the tensor.
    package init(raw bytes: ArraySlice<UInt8>, _ dtype: DataType, _ shape: Shape) throws(ProtoError) {
        guard let count = shape.count else { throw Self.unfit(shape) }
        if let width = dtype.width {
            guard case let (size, overflow) = count.multipliedReportingOverflow(by: width), !overflow, size == bytes.count else {
                throw ProtoError("wanted \(count) elements of \(width) bytes for shape \(shape), found \(bytes.count) bytes")
            }
        } else {
            let found = try bytes.scanning { (bytes) throws(ProtoError) in try RawStrings.count(in: bytes) }
            guard found == count else { throw ProtoError("wanted \(count) elements for shape \(shape), found \(found)") }
        }
        self.init(dtype, shape, count: count)
    }
}

/// An `InferInputTensor` or an `InferOutputTensor` as it stands in its message.
struct InferTensor {
    var name = ""
    var dtype = DataType.invalid
    var dims: [Int64] = []
    var parameters = InferParameters.none
    var contents: ArraySlice<UInt8>?
    private var problem: String?

    /// What is wrong with the tensor waits until its name is known.
    init(scanning slice: ArraySlice<UInt8>) throws(ProtoError) {
        var tensor = InferTensor()
        do throws(ProtoError) {
            try slice.scanning { (bytes) throws(ProtoError) in try tensor.read(bytes, of: slice) }
            if let problem = tensor.problem { throw ProtoError(problem) }
        } catch { throw error.of(tensor: tensor.name) }
        self = tensor
    }

    private init() {}

    private mutating func read(_ bytes: UnsafeRawBufferPointer, of slice: ArraySlice<UInt8>) throws(ProtoError) {
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            if number == 3, type == .varint || type == .chunk {
                var packed = ProtoScan(content)
                while packed.offset < content.count { dims.append(Int64(bitPattern: try packed.varint())) }
                guard dims.count <= TensorOutline.maxRank else {
                    throw ProtoError("wanted at most \(TensorOutline.maxRank) dimensions, found more")
                }
            }
            guard type == .chunk else { continue }
            switch number {
            case 1: name = try content.text()
            case 2:
                guard let known = DataType(openInference: content) else {
                    problem = DataType.unknown(openInference: String(decoding: content.prefix(32), as: UTF8.self))
                    continue
                }
                dtype = known
            case 4: try parameters.append(entry: slice.part(content, of: bytes))
            // The parts of a message that comes in several pieces add up.
            case 5: contents = contents.map { $0 + slice.part(content, of: bytes) } ?? slice.part(content, of: bytes)
            default: break
            }
        }
        if dtype == .invalid, problem == nil { problem = "wanted a datatype, found none" }
    }

    func entry(raw: ArraySlice<UInt8>?) throws(ProtoError) -> WireTensors.Entry {
        do throws(ProtoError) {
            let shape = Shape(dims)
            guard shape.count != nil else { throw TensorOutline.unfit(shape) }
            // MLServer, for one, writes empty contents beside raw ones.
            if raw != nil, contents?.isEmpty == false { throw ProtoError("wanted contents or raw contents, found both") }
            let bytes: ArraySlice<UInt8>
            if let raw { bytes = raw } else { bytes = try InferContents.plain(contents ?? [], dtype) }
            return WireTensors.Entry(
                name: name, outline: try TensorOutline(raw: bytes, dtype, shape), encoding: .raw, bytes: bytes, parameters: parameters)
        } catch { throw error.of(tensor: name) }
    }

    /// Writes the tensor of an entry, whose values are plain.
    static func write(_ entry: WireTensors.Entry, to writer: inout ProtoWriter, isRaw: Bool) throws(ProtoError) {
        var head = ProtoWriter()
        let dtype = entry.outline.dtype
        head.chunk(entry.name.utf8, field: 1)
        head.chunk((dtype.openInferenceName ?? "").utf8, field: 2)
        let dims = entry.outline.shape?.dims ?? [Int64(entry.outline.count)]
        if !dims.isEmpty {
            head.open(field: 3, size: dims.reduce(0) { $0 + ProtoWriter.size(UInt64(bitPattern: $1)) })
            for dim in dims { head.varint(UInt64(bitPattern: dim)) }
        }
        entry.parameters.write(to: &head, field: 4)
        guard !isRaw else { return writer.chunk(head.bytes, field: 5) }
        let contents = try InferContents.typed(entry.bytes, dtype)
        writer.open(field: 5, size: head.bytes.count + ProtoWriter.chunkSize(contents.count, field: 5))
        writer.bytes.append(contentsOf: head.bytes)
        writer.chunk(contents, field: 5)
    }
}

/// The `InferTensorContents` of one tensor.
enum InferContents {
    /// The field that holds the values of a type; nil for halves, which only raw contents can carry.
    static func field(of dtype: DataType) -> Int? {
        switch dtype {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: 3
        case .uint8, .uint16, .uint32: 4
        case .uint64: 5
        case .float: 6
        case .double: 7
        case .string: 8
        default: nil
        }
    }

    /// The values as raw contents have them. Cost: a slice for floats in one piece.
    static func plain(_ contents: ArraySlice<UInt8>, _ dtype: DataType) throws(ProtoError) -> ArraySlice<UInt8> {
        guard let field = field(of: dtype) else {
            if contents.isEmpty { return [] }
            throw ProtoError("wanted raw contents for \(dtype.openInferenceName ?? dtype.rawValue), found typed ones")
        }
        return try contents.scanning { (bytes) throws(ProtoError) in
            var only: ArraySlice<UInt8>?
            var pieces: [UInt8] = []
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                guard number == field else {
                    guard !(1...8).contains(number) || content.isEmpty else { throw Self.stranger(number, dtype) }
                    continue
                }
                try Self.check(content, type, dtype)
                guard !content.isEmpty || dtype == .string else { continue }
                if dtype == .float || dtype == .double, only == nil, pieces.isEmpty {
                    only = contents.part(content, of: bytes)
                    continue
                }
                if let first = only { pieces.append(contentsOf: first) }
                only = nil
                try PlainValues.append(content, dtype, to: &pieces)
            }
            return only ?? pieces[...]
        }
    }

    private static func stranger(_ number: Int, _ dtype: DataType) -> ProtoError {
        let names = ["bool", "int", "int64", "uint", "uint64", "fp32", "fp64", "bytes"]
        return ProtoError(
            "wanted \(names[(field(of: dtype) ?? 1) - 1])_contents for \(dtype.openInferenceName ?? ""), found \(names[number - 1])_contents"
        )
    }

    private static func check(
        _ content: UnsafeRawBufferPointer, _ type: ProtoScan.WireType, _ dtype: DataType
    ) throws(ProtoError) { _ = try TensorOutline.numbers(in: content, of: dtype, type) }

    static func typed(_ bytes: ArraySlice<UInt8>, _ dtype: DataType) throws(ProtoError) -> [UInt8] {
        var writer = ProtoWriter()
        guard let field = field(of: dtype), !bytes.isEmpty else { return [] }
        if dtype == .string { return try RawStrings.tagged(bytes, field: field) }
        if let packed = bytes.withUnsafeBytes({ TensorForm.packed($0, dtype) }) {
            writer.chunk(packed, field: field)
        } else {
            writer.chunk(bytes, field: field)
        }
        return writer.bytes
    }
}
