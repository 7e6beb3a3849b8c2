// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import OpenInference
import Protos

/// What reads bytes that any stranger may send.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// The JSON reader.
    case json
    /// Values as JSON, by a signature.
    case fields
    /// Open Inference over REST, binary tensors included.
    case rest
    /// `inference.ModelInferRequest`.
    case infer
    /// `tensorflow.serving.PredictRequest`.
    case tensorflow
    /// `GatewayPredictRequest`.
    case gateway

    /// What does not hold for the bytes; nil where all is well. Whatever they are, it ends, and soon.
    ///
    /// Refusing is well. What is accepted must survive being written and read again.
    package func complaint(about bytes: [UInt8]) -> String? {
        switch self {
        case .json: Self.json(bytes)
        case .fields: Self.fields(bytes)
        case .rest: Self.rest(bytes)
        case .infer: Self.infer(bytes)
        case .tensorflow: Self.tensorflow(bytes)
        case .gateway: Self.gateway(bytes)
        }
    }

    private static func json(_ bytes: [UInt8]) -> String? {
        // That it is refused is an answer.
        guard let value = try? JSONValue.decode(json: bytes) else { return nil }
        let text = value.json()
        guard let again = try? JSONValue.decode(json: text) else { return "what was written is not read" }
        return again == value ? nil : "another value is read back"
    }

    private static let signature: [Field] = [
        Field("f", .float, [-1]), Field("d", .double, [2, -1]), Field("h", .half), Field("i", .int64), Field("u", .uint64, .scalar),
        Field("b", .bool), Field("s", .string), Field("n", .int8, [-1]), Field("c", .complex64),
        Field("m", .map, subfields: [Field("x", .int32), Field("y", .string)]),
    ]

    private static func fields(_ bytes: [UInt8]) -> String? {
        var present: [Field] = []
        // A signature of what is there, so that single fields get through.
        if let value = try? JSONValue.decode(json: bytes), let names = value.object { present = signature.filter { names[$0.name] != nil } }
        guard let tensors = try? TensorJSON.read(bytes, as: present, undeclared: .ignored) else { return nil }
        let text = TensorJSON.write(tensors, as: present)
        guard let again = try? TensorJSON.read(text, as: present) else { return "what was written is not read" }
        return TensorJSON.write(again, as: present) == text ? nil : "another value is read back"
    }

    private static func rest(_ bytes: [UInt8]) -> String? {
        // The first byte says where JSON ends: nowhere, at once, or so many bytes before the end.
        guard let first = bytes.first else { return nil }
        let body = bytes.dropFirst()
        let length = first == 0 ? nil : first == 1 ? 0 : max(0, body.count - Int(first - 2))
        guard let call = try? InferCall(body: body, jsonLength: length, inputs: [Field("x", .float, [-1, 2])]) else { return nil }
        let inputs = call.request.inputs
        if let complaint = unsound(inputs) { return complaint }
        let response = InferResponse(outputs: inputs)
        let plain = InferCall(InferRequest(inputs: WireTensors()))
        guard let binary = try? InferAnswer(response, for: InferCall(plain.request, isBinary: true)) else { return "binary is not written" }
        guard let back = read(binary) else { return "binary is not read" }
        guard same(back, inputs) else { return "binary is read as something else" }
        // Strings may be bytes that JSON cannot carry.
        guard let text = try? InferAnswer(response, for: plain) else { return nil }
        guard let values = read(text) else { return "what was written is not read" }
        guard let again = try? InferAnswer(InferResponse(outputs: values), for: plain) else { return "what was read is not written" }
        return again == text ? nil : "another value is read back"
    }

    /// Reads an answer's outputs as the inputs of a request.
    private static func read(_ answer: InferAnswer) -> WireTensors? {
        let start = Array(#"{"model_name":"","outputs":"#.utf8)
        guard answer.body.starts(with: start) else { return nil }
        let head = Array(#"{"inputs":"#.utf8)
        let body = head + answer.body.dropFirst(start.count)
        let length = answer.jsonLength.map { $0 - start.count + head.count }
        return try? InferCall(body: body[...], jsonLength: length, inputs: []).request.inputs
    }

    private static func infer(_ bytes: [UInt8]) -> String? {
        guard let request = try? InferRequest(scanning: bytes[...]) else { return nil }
        if let complaint = unsound(request.inputs) { return complaint }
        guard let message = try? request.message(), let again = try? InferRequest(scanning: message[...]) else {
            return "what was written is not read"
        }
        guard same(again.inputs, request.inputs), again.outputs == request.outputs, again.parameters == request.parameters else {
            return "another message is read back"
        }
        let response = InferResponse(outputs: request.inputs)
        guard let typed = try? response.message(isRaw: false), let values = try? InferResponse(scanning: typed[...]).outputs else {
            return "typed contents are not read"
        }
        guard let wanted = try? WireTensors(request.inputs.tensors()), let found = try? WireTensors(values.tensors()) else {
            return "tensors are not decoded"
        }
        return same(found, wanted) ? exchange(request.inputs) : "typed contents are read as something else"
    }

    private static func tensorflow(_ bytes: [UInt8]) -> String? {
        guard let request = try? TensorFlowRequest(scanning: bytes[...]) else { return nil }
        guard let message = try? request.message(), let again = try? TensorFlowRequest(scanning: message[...]) else {
            return "what was written is not read"
        }
        guard same(again.inputs, request.inputs), again.model == request.model else { return "another message is read back" }
        return exchange(request.inputs)
    }

    private static func gateway(_ bytes: [UInt8]) -> String? {
        guard let request = try? GatewayRequest(scanning: bytes[...]) else { return nil }
        guard let message = try? request.message(), let again = try? GatewayRequest(scanning: message[...]) else {
            return "what was written is not read"
        }
        guard same(again.tensors, request.tensors), again.name == request.name else { return "another message is read back" }
        return exchange(request.tensors)
    }
}

extension FuzzTarget {
    private static func same(_ some: WireTensors, _ others: WireTensors) -> Bool {
        some.entries.count == others.entries.count
            && zip(some.entries, others.entries).allSatisfy {
                $0.name == $1.name && $0.outline == $1.outline && $0.bytes == $1.bytes && $0.encoding == $1.encoding
            }
    }

    /// Raw tensors whose bytes are not what their outline says.
    private static func unsound(_ tensors: WireTensors) -> String? {
        for entry in tensors.entries {
            guard let shape = entry.outline.shape, let outline = try? TensorOutline(raw: entry.bytes, entry.outline.dtype, shape),
                outline == entry.outline
            else { return "a raw tensor that is not sound" }
        }
        return nil
    }

    /// A tensor must be the same after a way through another encoding.
    private static func exchange(_ tensors: WireTensors) -> String? {
        // A few bytes may stand for many elements, which is tested elsewhere.
        for entry in tensors.entries where entry.outline.count <= 1 << 12 {
            // Numbers are counted when a message is scanned, and read when they are wanted: only then are bad ones found.
            guard let original = try? entry.tensor().protobuf() else { continue }
            for encoding in [TensorEncoding.hydrosphere, .tensorflow, .raw] where encoding != entry.encoding {
                guard let there = try? entry.encoded(as: encoding) else { continue }
                guard let back = try? there.encoded(as: entry.encoding) else { return "no way back from \(encoding)" }
                guard var tensor = try? back.tensor() else { return "not decoded after \(encoding)" }
                // Other encodings turn an untold shape into a list.
                if entry.outline.shape == nil { tensor.shape = nil }
                guard tensor.protobuf() == original else { return "another tensor after \(encoding)" }
            }
        }
        return nil
    }
}
