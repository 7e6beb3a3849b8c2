// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore
import Protos
import Testing
import Wire

@testable import Gateway

/// Models that speak each protocol, behind the whole gateway.
struct DialectTests {
    /// One application on one pod that speaks the dialect.
    private static func serve(_ signature: Signature, _ dialect: Dialect, in bench: Bench) {
        var variant = Objects.variant("iris-4", port: bench.ports[0])
        variant.protocol =
            switch dialect {
            case .hydrosphere: .hydrosphere
            case .tensorflow: .tensorflow
            case .openInference: .openInference
            }
        bench.tell(Objects.application("flowers", [Objects.stage("stage-0", signature, [variant])], signature: signature))
        bench.feed.tell(Objects.slice("iris-4", [("127.0.0.1", true)]))
    }

    /// A tensor of each type that all protocols have, in three shapes, with the values that conversions lose first.
    private static let tensors: [String: Tensor] = {
        let small = Tensor.Elements.int32([-128, -1, 0, 1, 2, 127])
        let kinds: [(DataType, Tensor.Elements)] = [
            (.bool, .bool([true, false, false, true, true, false])), (.int8, small), (.uint8, .int32([0, 1, 2, 127, 128, 255])),
            (.int16, .int32([-32768, -1, 0, 1, 255, 32767])), (.uint16, .int32([0, 1, 255, 256, 32768, 65535])),
            (.int32, .int32([.min, -1, 0, 1, 2, .max])), (.int64, .int64([.min, -1, 0, 1, 1 << 53 + 1, .max])),
            (.uint32, .uint32([0, 1, 2, 3, 1 << 31, .max])), (.uint64, .uint64([0, 1, 2, 3, 1 << 63, .max])),
            (.half, .half([0, 1, 0x3c00, 0x7bff, 0x8000, 0xfc00])),
            (.float, .float([0, -0.0, 0.1, .leastNonzeroMagnitude, -.infinity, 3e38])),
            (.double, .double([0, -0.0, 0.1, .leastNonzeroMagnitude, .infinity, 1e308])),
            (.string, .bytes([[], [0], Array("é".utf8), [0xff, 0xfe], Array("a".utf8), Array(repeating: 65, count: 300)])),
        ]
        var tensors: [String: Tensor] = [:]
        for (dtype, six) in kinds {
            tensors["\(dtype.rawValue)-row"] = Tensor(dtype, [6], six)
            tensors["\(dtype.rawValue)-table"] = Tensor(dtype, [2, 1, 3], six)
            tensors["\(dtype.rawValue)-none"] = Tensor(dtype, [0, 4], six.none)
            tensors["\(dtype.rawValue)-one"] = Tensor(dtype, .scalar, six.last)
        }
        return tensors
    }()

    private static func signature(of tensors: [String: Tensor]) -> Signature {
        let fields = tensors.sorted { $0.key < $1.key }.map { Field($0.key, $0.value.dtype, $0.value.shape ?? .scalar) }
        return Signature(inputs: fields, outputs: fields)
    }

    @Test(arguments: Dialect.allCases) func `every type and shape comes back as it went`(dialect: Dialect) async throws {
        let echo = FakeModel(speaking: dialect) { (inputs) throws(GRPCStatus) in inputs }
        try await Bench.run([echo]) { bench in
            Self.serve(Self.signature(of: Self.tensors), dialect, in: bench)
            let reply = try await bench.call("PredictApplication", "flowers", Self.tensors)
            let outputs = try WireTensors(scanning: reply.message).tensors()
            #expect(outputs.count == Self.tensors.count)
            for (name, tensor) in Self.tensors { #expect(outputs[name] == tensor, "\(name)") }
        }
    }

    @Test func `an Open Inference model is asked by its own name for what its signature declares`() async throws {
        let model = FakeModel(speaking: .openInference) { (_) throws(GRPCStatus) in ["label": Tensor(.int64, .scalar, .int64([1]))] }
        try await Bench.run([model]) { bench in
            Self.serve(Objects.signature, .openInference, in: bench)
            let answer = await bench.post("/gateway/application/flowers", #"{"features": [1, 2]}"#, ["x-request-id": "r-7"])
            #expect(answer.body == #"{"label":1}"#)
            let asked = try InferRequest(scanning: try #require(model.requests.first).grpcMessage())
            #expect(asked.model == "iris")
            #expect(asked.version.isEmpty)
            #expect(asked.id == "r-7")
            #expect(asked.outputs.map(\.name) == ["label"])
        }
    }

    @Test func `a TensorFlow model is asked by name and signature`() async throws {
        let model = FakeModel(speaking: .tensorflow) { (_) throws(GRPCStatus) in ["label": Tensor(.int64, .scalar, .int64([1]))] }
        try await Bench.run([model]) { bench in
            var signature = Objects.signature
            signature.name = "serving_default"
            Self.serve(signature, .tensorflow, in: bench)
            #expect(await bench.post("/gateway/application/flowers", #"{"features": [1, 2]}"#).status == 200)
            let asked = try TensorFlowRequest(scanning: try #require(model.requests.first).grpcMessage())
            #expect(asked.model == ModelSpec(name: "iris", signature: "serving_default"))
            #expect(asked.wanted == ["label"])
        }
    }

    @Test func `what is said beside the values goes along, and what the model says comes back`() throws {
        let beside = InferBeside(id: "mine", parameters: InferParameters([("temperature", .double(0.5))]))
        let inputs = WireTensors(["x": Tensor(.double, .scalar, .double([1]))])
        let message = try Dialect.openInference.request(
            inputs, to: Addressee(name: "iris", signature: "predict"), wanting: [], beside: beside)
        let asked = try InferRequest(scanning: message[...])
        #expect(asked.id == "mine")
        #expect(asked.parameters["temperature"] == .double(0.5))
        let reply = try InferResponse(parameters: InferParameters([("took", .int(3))]), outputs: inputs).message()
        let outputs = try Dialect.openInference.answer(reply[...])
        #expect(outputs.picking([Field("x", .double, .scalar)]).beside.parameters["took"] == .int(3))
    }

    @Test(arguments: [Dialect.tensorflow, .openInference])
    func `a server that does not know its model is not the caller's mistake`(dialect: Dialect) async throws {
        let model = FakeModel(speaking: dialect) { (_) throws(GRPCStatus) in throw GRPCStatus(.notFound, "no such model") }
        try await Bench.run([model]) { bench in
            Self.serve(Objects.signature, dialect, in: bench)
            let answer = await bench.post("/gateway/application/flowers", #"{"features": [1, 2]}"#)
            #expect(answer.status == 503)
            #expect(answer.body.contains("iris") && answer.body.contains("no such model"))
        }
    }

    @Test func `a type that the model's protocol cannot carry is named`() async throws {
        let model = FakeModel(speaking: .openInference) { (inputs) throws(GRPCStatus) in inputs }
        try await Bench.run([model]) { bench in
            let tensors = ["wave": Tensor(.complex64, [1], .float([1, 2]))]
            Self.serve(Self.signature(of: tensors), .openInference, in: bench)
            do {
                _ = try await bench.call("PredictApplication", "flowers", tensors)
                Issue.record("wanted an error")
            } catch {
                #expect("\(error)".contains("wave") && "\(error)".contains("complex64"), "\(error)")
            }
            #expect(model.requests.isEmpty)
        }
    }
}

extension Tensor.Elements {
    /// The same kind without elements.
    fileprivate var none: Tensor.Elements { part { _ in 0..<0 } }
    /// The last element alone.
    fileprivate var last: Tensor.Elements { part { ($0 - 1)..<$0 } }

    private func part(_ range: (Int) -> Range<Int>) -> Tensor.Elements {
        switch self {
        case .bool(let values): .bool(Array(values[range(values.count)]))
        case .int32(let values): .int32(Array(values[range(values.count)]))
        case .int64(let values): .int64(Array(values[range(values.count)]))
        case .uint32(let values): .uint32(Array(values[range(values.count)]))
        case .uint64(let values): .uint64(Array(values[range(values.count)]))
        case .half(let values): .half(Array(values[range(values.count)]))
        case .float(let values): .float(Array(values[range(values.count)]))
        case .double(let values): .double(Array(values[range(values.count)]))
        case .bytes(let values): .bytes(Array(values[range(values.count)]))
        case .maps(let values): .maps(Array(values[range(values.count)]))
        }
    }
}
