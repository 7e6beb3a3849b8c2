// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Protos
import Testing

/// Numbers that come out the same for the same seed.
struct Randomness: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }
}

/// What a tensor is, apart from how it is written: equal only where every bit of every element is.
struct Bits: Equatable {
    var dtype: DataType
    var shape: Shape?
    var elements: [[UInt8]]

    init(_ tensor: Tensor) {
        dtype = tensor.dtype
        shape = tensor.shape
        func bytes<Value>(_ values: [Value]) -> [[UInt8]] { values.map { withUnsafeBytes(of: $0) { Array($0) } } }
        elements =
            switch tensor.elements {
            case .bool(let values): bytes(values)
            case .int32(let values): bytes(values)
            case .int64(let values): bytes(values)
            case .uint32(let values): bytes(values)
            case .uint64(let values): bytes(values)
            case .half(let values): bytes(values)
            case .float(let values): bytes(values)
            case .double(let values): bytes(values)
            case .bytes(let values): values
            case .maps: []
            }
    }
}

/// Tensors of a type and a shape with every kind of bits in them.
enum Samples {
    static let dtypes: [DataType] = DataType.allCases.filter { ![.map, .any, .invalid].contains($0) }
    static let shapes: [Shape] = [[], [0], [1], [3, 4], [2, 0, 3], [7, 11, 13]]
    static let encodings: [TensorEncoding] = [.hydrosphere, .tensorflow, .raw]

    static func tensor(_ dtype: DataType, _ shape: Shape, seed: UInt64) -> Tensor {
        var random = Randomness(seed &+ UInt64(dtype.number) &* 977)
        let bits = (0..<(shape.count ?? 0) * (dtype.isComplex ? 2 : 1)).map { _ in random.next() }
        return Tensor(dtype, shape, elements(dtype, bits, Int(seed * 3 % 16)))
    }

    private static func elements(_ dtype: DataType, _ bits: [UInt64], _ start: Int) -> Tensor.Elements {
        // Short tensors meet the edges too, each seed another one.
        func list<Value>(_ edges: [Value], _ value: (UInt64) -> Value) -> [Value] {
            bits.enumerated().map { place, bits in
                let edge = (place + start) % 16
                return edge < edges.count ? edges[edge] : value(bits)
            }
        }
        switch dtype {
        case .bool: return .bool(list([]) { $0 & 1 == 1 })
        case .half: return .half(list([0x7e01, 0xfdff, 0x8000, 0x7c00, 1]) { UInt16(truncatingIfNeeded: $0) })
        case .float, .complex64:
            let edges = [Float(bitPattern: 0x7fa0_0001), Float(bitPattern: 0xffc0_1234), -0.0, .infinity, .leastNonzeroMagnitude]
            return .float(list(edges) { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) })
        case .double, .complex128:
            let edges = [Double(bitPattern: 0x7ff4_0000_0000_0001), -.nan, -0.0, -.infinity, .leastNonzeroMagnitude]
            return .double(list(edges) { Double(bitPattern: $0) })
        case .int64: return .int64(list([.min, .max, -1, 0]) { Int64(bitPattern: $0) })
        case .uint64: return .uint64(list([.max, 1 << 63, 0]) { $0 })
        case .uint32: return .uint32(list([.max, 0]) { UInt32(truncatingIfNeeded: $0) })
        case .string:
            let edges: [[UInt8]] = [[], [0xff, 0, 0xc0], Array("é\"\\\u{1f600}".utf8)]
            return .bytes(list(edges) { bits in (0..<Int(bits % 40)).map { UInt8(truncatingIfNeeded: $0 &* 7) } })
        default:
            let range = dtype.range ?? 0...0
            let span = UInt64(range.upperBound - range.lowerBound) + 1
            return .int32(
                list([Int32(range.lowerBound), Int32(range.upperBound)]) { Int32(range.lowerBound + Int64($0 % span)) })
        }
    }
}

struct RoundTripTests {
    @Test(arguments: Samples.dtypes)
    func `every type and shape comes back from every caller and model encoding with every bit`(dtype: DataType) throws {
        for shape in Samples.shapes {
            for seed in UInt64(1)...4 {
                let tensor = Samples.tensor(dtype, shape, seed: seed)
                let made = WireTensors(["x": tensor])
                for caller in Samples.encodings where caller.carries(dtype) {
                    for model in Samples.encodings where model.carries(dtype) {
                        let asked = try passed(try made.encoded(as: caller))
                        let answered = try passed(try asked.encoded(as: model))
                        let back = try passed(try answered.encoded(as: caller))
                        #expect(back["x"]?.bytes.elementsEqual(asked["x"]?.bytes ?? []) == true)
                        #expect(back["x"]?.outline == asked["x"]?.outline)
                        #expect(Bits(try back["x"]?.tensor() ?? tensor) == Bits(tensor), "\(dtype) \(shape) \(caller) \(model)")
                    }
                }
            }
        }
    }

    /// Through a message of the encoding's protocol, and for Open Inference both kinds of contents.
    private func passed(_ tensors: WireTensors) throws -> WireTensors {
        guard let encoding = tensors.entries.first?.encoding else { return tensors }
        switch encoding {
        case .hydrosphere: return try WireTensors(scanning: try tensors.message()[...])
        case .tensorflow:
            let request = TensorFlowRequest(model: ModelSpec(name: "m"), inputs: tensors)
            return try TensorFlowRequest(scanning: try request.message()[...]).inputs
        case .raw:
            let response = InferResponse(model: "m", outputs: tensors)
            let typed = try InferResponse(scanning: try response.message(isRaw: false)[...])
            let raw = try InferRequest(scanning: try InferRequest(model: "m", inputs: typed.outputs).message()[...])
            return raw.inputs
        }
    }

    @Test(arguments: Samples.encodings)
    func `tensors pass by the same bytes where caller and model share an encoding`(encoding: TensorEncoding) throws {
        let made = try WireTensors(["x": Samples.tensor(.float, [3, 4], seed: 1)]).encoded(as: encoding)
        #expect(try made.encoded(as: encoding)["x"]?.bytes == made["x"]?.bytes)
    }

    @Test func `what an encoding cannot carry is an error that names the tensor and the type`() throws {
        let complex = WireTensors(["z": Samples.tensor(.complex64, [1], seed: 1)])
        #expect(throws: ProtoError("tensor \"z\": wanted a type that the Open Inference Protocol carries, found complex64")) {
            try complex.encoded(as: .raw)
        }
        let map = WireTensors(["m": Tensor(.map, .scalar, .maps([[:]]))])
        #expect(throws: ProtoError("tensor \"m\": wanted a type that TensorFlow carries, found map")) { try map.encoded(as: .tensorflow) }
        #expect(throws: ProtoError.self) { try map.encoded(as: .raw) }
    }

    @Test func `a shape that the sender did not tell becomes a list where the encoding wants one`() throws {
        let untold = WireTensors(["x": Tensor(.int16, nil, .int32([1, -1, 2]))])
        #expect(try untold.encoded(as: .raw)["x"]?.outline.shape == [3])
        #expect(try untold.encoded(as: .tensorflow).encoded(as: .hydrosphere).tensors() == ["x": Tensor(.int16, [3], .int32([1, -1, 2]))])
    }

    @Test func `elements that do not fill the shape are never passed on in another encoding`() {
        let short = WireTensors(["x": Tensor(.float, [3, 4], .float([1]))])
        #expect(throws: ProtoError("tensor \"x\": wanted 12 elements for shape [3, 4], found 1")) { try short.encoded(as: .tensorflow) }
        let huge = WireTensors(["x": Tensor(.float, [1 << 40, 1 << 40], .float([1]))])
        #expect(throws: ProtoError.self) { try huge.encoded(as: .raw) }
        let negative = WireTensors(["x": Tensor(.float, [-1], .float([1]))])
        #expect(throws: ProtoError.self) { try negative.encoded(as: .raw) }
    }
}
