// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract

extension Tensor {
    /// Reads a `hydrosphere.serving.contract.Tensor`, its numbers packed, unpacked or as raw bytes.
    init(protobuf bytes: UnsafeRawBufferPointer, depth: Int = 0) throws(ProtoError) {
        let outline = try TensorOutline(scanning: bytes, depth: depth)
        var content = TensorContent(dtype: outline.dtype, count: outline.count)
        try content.read(bytes, depth: depth)
        self.init(outline.dtype, outline.shape, try content.elements())
    }

    /// The tensor as a `hydrosphere.serving.contract.Tensor`, its numbers packed.
    package func protobuf() -> [UInt8] {
        var writer = ProtoWriter()
        writer.bytes.reserveCapacity(64)
        writer.number(UInt64(dtype.number), field: TensorField.dtype)
        if let shape {
            var dims = ProtoWriter()
            if !shape.dims.isEmpty { dims.chunk(Self.varints(shape.dims) { UInt64(bitPattern: $0) }, field: 1) }
            writer.chunk(dims.bytes, field: TensorField.shape)
        }
        guard let field = TensorField.values(of: dtype) else { return writer.bytes }
        switch elements {
        case .bytes(let values): for value in values { writer.chunk(value, field: field) }
        case .maps(let maps): for map in maps { writer.chunk(Self.entries(of: map), field: field) }
        default: if let packed, !packed.isEmpty { writer.chunk(packed, field: field) }
        }
        return writer.bytes
    }

    private static func entries(of map: [String: Tensor]) -> [UInt8] {
        var writer = ProtoWriter()
        for (name, tensor) in map.sorted(by: { $0.key < $1.key }) {
            var entry = ProtoWriter()
            entry.chunk(name.utf8, field: 1)
            entry.chunk(tensor.protobuf(), field: 2)
            writer.chunk(entry.bytes, field: 1)
        }
        return writer.bytes
    }

    private var packed: [UInt8]? {
        switch elements {
        case .bool(let values): values.map { $0 ? 1 : 0 }
        case .int32(let values): Self.varints(values) { UInt64(bitPattern: Int64($0)) }
        case .int64(let values): Self.varints(values) { UInt64(bitPattern: $0) }
        case .uint32(let values): Self.varints(values) { UInt64($0) }
        case .uint64(let values): Self.varints(values) { $0 }
        case .half(let values): Self.varints(values) { UInt64($0) }
        case .float(let values): Self.littleEndian(values)
        case .double(let values): Self.littleEndian(values)
        case .bytes, .maps: nil
        }
    }

    private static func varints<Value>(_ values: [Value], _ bits: (Value) -> UInt64) -> [UInt8] {
        var writer = ProtoWriter()
        writer.bytes.reserveCapacity(values.count * 2)
        for value in values { writer.varint(bits(value)) }
        return writer.bytes
    }

    /// The values' own bytes: every machine that this runs on is little-endian, as the wire is.
    private static func littleEndian<Value>(_ values: [Value]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
}

/// The values of one tensor on their way out of its bytes.
private struct TensorContent {
    let dtype: DataType
    let count: Int
    var whole: [UInt64] = []
    var raw: [UInt8] = []
    var strings: [[UInt8]] = []
    var maps: [[String: Tensor]] = []
    var binary: [UInt8] = []

    init(dtype: DataType, count: Int) {
        self.dtype = dtype
        self.count = count
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(ProtoError) {
        let values = TensorField.values(of: dtype)
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            if number == TensorField.binary, type == .chunk { binary = Array(content) }
            guard number == values else { continue }
            switch dtype {
            case .string: strings.append(Array(content))
            case .map: maps.append(try WireTensors.tensors(in: content, field: 1, depth: depth + 1))
            case .float, .double, .complex64, .complex128: raw.append(contentsOf: content)
            default:
                whole.reserveCapacity(count)
                var packed = ProtoScan(content)
                while packed.offset < content.count { whole.append(try packed.varint()) }
            }
        }
    }

    func elements() throws(ProtoError) -> Tensor.Elements {
        let isBinary = raw.isEmpty && whole.isEmpty && !binary.isEmpty
        if isBinary, let width = dtype.width, binary.count % width != 0 {
            throw ProtoError("wanted elements of \(width) bytes, found \(binary.count) bytes")
        }
        switch dtype {
        case .string: return .bytes(strings)
        case .map: return .maps(maps)
        case .float, .complex64: return .float(Self.loaded(isBinary ? binary : raw))
        case .double, .complex128: return .double(Self.loaded(isBinary ? binary : raw))
        case .half: return .half(isBinary ? Self.loaded(binary) : whole.map { UInt16(truncatingIfNeeded: $0) })
        case .int64: return .int64(isBinary ? Self.loaded(binary) : whole.map { Int64(bitPattern: $0) })
        case .uint64: return .uint64(isBinary ? Self.loaded(binary) : whole)
        case .uint32: return .uint32(isBinary ? Self.loaded(binary) : whole.map { UInt32(truncatingIfNeeded: $0) })
        case .bool: return .bool(isBinary ? binary.map { $0 != 0 } : whole.map { $0 != 0 })
        case .any, .invalid: return .bytes([])
        default: return .int32(isBinary ? narrow(binary) : whole.map { Int32(truncatingIfNeeded: $0) })
        }
    }

    private func narrow(_ bytes: [UInt8]) -> [Int32] {
        switch dtype {
        case .int8, .qint8: bytes.map { Int32(Int8(bitPattern: $0)) }
        case .uint8, .quint8: bytes.map { Int32($0) }
        case .int16, .qint16: (Self.loaded(bytes) as [Int16]).map { Int32($0) }
        case .uint16, .quint16: (Self.loaded(bytes) as [UInt16]).map { Int32($0) }
        default: Self.loaded(bytes)
        }
    }

    private static func loaded<Value: BitwiseCopyable & ExpressibleByIntegerLiteral>(_ bytes: [UInt8]) -> [Value] {
        let count = bytes.count / MemoryLayout<Value>.stride
        return Array(unsafeUninitializedCapacity: count) { values, filled in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(values).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: $0.prefix(count * MemoryLayout<Value>.stride)))
            }
            filled = count
        }
    }
}
