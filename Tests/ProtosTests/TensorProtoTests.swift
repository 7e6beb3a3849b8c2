// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Foundation
import Protos
import SwiftProtobuf
import Testing

private typealias ProtoTensor = Hydrosphere_Serving_Contract_Tensor
private typealias ProtoRequest = Hydrosphere_Serving_Runtime_PredictRequest

struct TensorProtoTests {
    /// One tensor of every type, with values at the edges.
    static let all: [String: Tensor] = [
        "string": Tensor(.string, [2], .bytes([Array("é".utf8), [0xff, 0]])), "bool": Tensor(.bool, [2], .bool([true, false])),
        "half": Tensor(.half, [1], .half([0x3e00])), "float": Tensor(.float, [2], .float([1.5, -.infinity])),
        "double": Tensor(.double, [3], .double([0.1, .greatestFiniteMagnitude, -0.0])),
        "int8": Tensor(.int8, [2], .int32([-128, 127])), "int16": Tensor(.int16, [1], .int32([-0x8000])),
        "int32": Tensor(.int32, [2], .int32([.min, .max])), "int64": Tensor(.int64, [3], .int64([.min, 0, .max])),
        "uint8": Tensor(.uint8, [1], .int32([255])), "uint16": Tensor(.uint16, [1], .int32([0xffff])),
        "uint32": Tensor(.uint32, [1], .uint32([.max])), "uint64": Tensor(.uint64, [1], .uint64([.max])),
        "qint8": Tensor(.qint8, .scalar, .int32([-1])), "qint16": Tensor(.qint16, .scalar, .int32([-1])),
        "qint32": Tensor(.qint32, .scalar, .int32([-1])), "quint8": Tensor(.quint8, .scalar, .int32([1])),
        "quint16": Tensor(.quint16, .scalar, .int32([1])), "complex64": Tensor(.complex64, [2], .float([1, 2, 3, 4])),
        "complex128": Tensor(.complex128, .scalar, .double([1, 2])), "empty": Tensor(.int64, [0], .int64([])),
        "untold": Tensor(.double, nil, .double([1, 2])),
        "map": Tensor(
            .map, [2],
            .maps([["a": Tensor(.int8, .scalar, .int32([1])), "b": .strings(["x"], nil)], ["m": Tensor(.map, .scalar, .maps([[:]]))]])),
    ]

    @Test func `tensors of every type go out and come back`() throws {
        let wire = WireTensors(Self.all)
        #expect(try wire.tensors() == Self.all)
        #expect(try WireTensors(scanning: wire.message()[...]).tensors() == Self.all)
    }

    @Test(arguments: [
        ([Field("a", .double, [2]), Field("b", .int64)], true), ([Field("b", .int64), Field("a", .double, [-1])], true),
        ([Field("a", .any), Field("b", .any, .scalar)], true), ([Field("a", .double, [2])], false),
        ([Field("a", .double, [3]), Field("b", .int64)], false), ([Field("a", .float, [2]), Field("b", .int64)], false),
        ([Field("a", .double, [2]), Field("c", .int64)], false), ([Field("a", .double, .scalar), Field("b", .int64)], false),
    ]) func `a quick look and the whole check agree`(fields: [Field], fit: Bool) {
        let tensors = ["a": Tensor(.double, [2], .double([1, 2])), "b": Tensor(.int64, .scalar, .int64([3]))]
        let signature = Signature(inputs: fields, outputs: fields)
        #expect(signature.violations(ofInputs: WireTensors(tensors)).isEmpty == fit)
        #expect(signature.violations(ofInputs: WireTensors(tensors)) == signature.violations(ofInputs: tensors))
        #expect(signature.violations(ofOutputs: WireTensors(tensors)) == signature.violations(ofOutputs: tensors))
    }

    @Test func `elements that do not fill their shape are found by the quick look too`() {
        let fields = [Field("a", .double, [-1])]
        let tensors = WireTensors(["a": Tensor(.double, [3], .double([1, 2]))])
        #expect(Signature(inputs: fields, outputs: fields).violations(ofInputs: tensors).map(\.found) == ["double [3] with 2 elements"])
    }

    @Test func `what we write is what the generated code reads, and the reverse`() throws {
        let message = try WireTensors(Self.all).message()
        let read = try ProtoRequest(serializedBytes: message)
        #expect(read.inputs.count == Self.all.count)
        #expect(read.inputs["double"]?.doubleVal == [0.1, .greatestFiniteMagnitude, -0.0])
        #expect(read.inputs["int64"]?.int64Val == [.min, 0, .max])
        #expect(read.inputs["int8"]?.intVal == [-128, 127])
        #expect(read.inputs["map"]?.mapVal.first?.subtensors["b"]?.stringVal == [Data("x".utf8)])
        #expect(read.inputs["untold"]?.hasTensorShape == false)
        #expect(read.inputs["qint8"]?.hasTensorShape == true)
        let rewritten: [UInt8] = try read.serializedBytes()
        #expect(try WireTensors(scanning: rewritten[...]).tensors() == Self.all)
    }

    @Test func `an outline from the bytes equals the one of the tensor`() throws {
        let scanned = try WireTensors(scanning: WireTensors(Self.all).message()[...])
        for (name, tensor) in Self.all {
            let outline = try #require(scanned[name]?.outline)
            #expect(outline.dtype == tensor.dtype && outline.shape == tensor.shape && outline.count == tensor.count, "\(name)")
        }
        #expect(scanned["map"]?.outline.entries.map(\.count) == [2, 1])
    }

    @Test func `numbers may come unpacked, in pieces, and before their type`() throws {
        // double_val 6: one unpacked, then a packed pair; then dtype 1 = DT_DOUBLE; then dims 1 in two shape messages.
        func bits(_ value: Double) -> [UInt8] { withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        let tensor = [0x31] + bits(1) + [0x32, 16] + bits(2) + bits(3) + [0x08, 2, 0x12, 2, 0x08, 3, 0x12, 3, 0x0a, 1, 1]
        let entry = [0x0a, 1, UInt8(ascii: "x"), 0x12, UInt8(tensor.count)] + tensor
        let message = [0x0a, UInt8(entry.count)] + entry
        #expect(try WireTensors(scanning: message[...]).tensors() == ["x": Tensor(.double, [3, 1], .double([1, 2, 3]))])
    }

    @Test func `raw bytes stand in for typed fields`() throws {
        var tensor = ProtoTensor()
        tensor.dtype = .dtInt16
        tensor.tensorShape.dims = [2]
        tensor.binaryVal = Data([0xff, 0xff, 1, 0])
        var request = ProtoRequest()
        request.inputs = ["x": tensor]
        let bytes: [UInt8] = try request.serializedBytes()
        let scanned = try WireTensors(scanning: bytes[...])
        #expect(scanned["x"]?.outline.count == 2)
        #expect(try scanned.tensors() == ["x": Tensor(.int16, [2], .int32([-1, 1]))])
    }

    @Test func `the last of two entries of one name wins, as in the generated code`() throws {
        let twice =
            try WireTensors(["x": Tensor(.bool, nil, .bool([true]))]).message()
            + WireTensors(["x": Tensor(.bool, nil, .bool([false]))]).message()
        #expect(try WireTensors(scanning: twice[...]).tensors() == ["x": Tensor(.bool, nil, .bool([false]))])
        #expect(try ProtoRequest(serializedBytes: twice).inputs["x"]?.boolVal == [false])
    }

    @Test func `bytes cut anywhere are refused or read as less, and never trap`() throws {
        let message = try WireTensors(Self.all).message()
        for end in 0..<message.count {
            guard let part = try? WireTensors(scanning: message[..<end]) else { continue }
            #expect(part.entries.count < Self.all.count)
            _ = try part.tensors()
        }
    }

    @Test(arguments: UInt64(1)...200) func `bytes changed anywhere never trap`(seed: UInt64) throws {
        var message = try WireTensors(Self.all).message()
        var state = seed &* 0x9e37_79b9_7f4a_7c15
        for _ in 0..<8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            message[Int(state >> 33) % message.count] = UInt8(truncatingIfNeeded: state >> 24)
        }
        // Whether such bytes can be read does not matter here, only that the question has an answer.
        let read = try? WireTensors(scanning: message[...])
        for entry in read?.entries ?? [] { #expect(entry.outline.count >= 0) }
        _ = try? read?.tensors()
    }

    @Test func `more dimensions or tensors than any model has are refused`() throws {
        let deep = try WireTensors(["x": Tensor(.double, Shape(Array(repeating: 1, count: 65)), .double([1]))]).message()
        #expect(throws: ProtoError.self) { try WireTensors(scanning: deep[...]) }
        let one = Tensor(.bool, .scalar, .bool([true]))
        let many = try WireTensors(Dictionary(uniqueKeysWithValues: (0..<1025).map { ("x\($0)", one) })).message()
        #expect(throws: ProtoError.self) { try WireTensors(scanning: many[...]) }
    }

    @Test func `maps that nest without end are refused`() {
        var tensor: [UInt8] = [0x08, 27]
        func length(_ count: Int) -> [UInt8] { count < 128 ? [UInt8(count)] : [UInt8(count & 127) | 128, UInt8(count >> 7)] }
        for _ in 0..<100 {
            let entry = [0x12] + length(tensor.count) + tensor
            let map = [0x0a] + length(entry.count) + entry
            tensor = [0x08, 27, 0xda, 1] + length(map.count) + map
        }
        let entry = [0x12] + length(tensor.count) + tensor
        let message = [0x0a] + length(entry.count) + entry
        #expect(throws: ProtoError.self) { try WireTensors(scanning: message[...]) }
    }
}

struct GatewayRequestTests {
    @Test func `a caller's request passes to the model by bytes`() throws {
        let tensors = TensorProtoTests.all
        let sent = try GatewayRequest(name: "tumour", tensors: WireTensors(tensors)).message()
        #expect(try Hydrosphere_Serving_Gateway_GatewayPredictRequest(serializedBytes: sent).name == "tumour")
        let request = try GatewayRequest(scanning: sent[...])
        #expect(request.name == "tumour")
        let passed = try ProtoRequest(serializedBytes: request.tensors.message())
        #expect(passed.inputs == (try Hydrosphere_Serving_Gateway_GatewayPredictRequest(serializedBytes: sent)).data)
    }

    @Test func `a slice out of a larger buffer is scanned in its own place`() throws {
        let sent = try GatewayRequest(name: "a", tensors: WireTensors(TensorProtoTests.all)).message()
        let framed = [0, 0, 0, 0, 9] + sent + [7]
        let request = try GatewayRequest(scanning: framed[5..<5 + sent.count])
        #expect(request.name == "a")
        #expect(try request.tensors.tensors() == TensorProtoTests.all)
    }

    @Test func `a stage gets what it declares, from the stage before or from the request`() throws {
        let one = Tensor(.int64, .scalar, .int64([1]))
        let two = Tensor(.int64, .scalar, .int64([2]))
        let request = WireTensors(["x": one, "age": one])
        let outputs = WireTensors(["x": two, "noise": two])
        let picked = outputs.picking([Field("x", .int64), Field("age", .int64), Field("absent", .int64)], orFrom: request)
        #expect(try picked.tensors() == ["x": two, "age": one])
    }
}

struct SignatureProtoTests {
    @Test func `a signature goes through its binary form`() throws {
        let signature = Signature(
            name: "infer",
            inputs: [
                Field("a", .double, [-1, 30], profile: .image), Field("b", .string), Field("c", .int8, .scalar),
                Field("m", .map, [2], subfields: [Field("x", .bool, [1])]),
            ], outputs: [Field("y", .any)])
        let bytes = try signature.protobin()
        #expect(try Signature(protobin: bytes) == signature)
        #expect(try signature.protobin() == bytes)
        let message = try Hydrosphere_Serving_Contract_ModelSignature(serializedBytes: bytes)
        #expect(message.signatureName == "infer")
        #expect(message.inputs.map(\.hasShape) == [true, false, true, true])
        #expect(message.inputs[0].dtype == .dtDouble && message.inputs[0].profile == .image)
    }

    @Test func `our tables and the generated enums agree`() {
        #expect(Set(Hydrosphere_Serving_Contract_DataType.allCases.map(\.rawValue)) == Set(DataType.allCases.map(\.number)))
        #expect(
            Set(Hydrosphere_Serving_Contract_DataProfileType.allCases.map(\.rawValue)) == Set(ProfileType.allCases.map(\.number)))
    }
}
