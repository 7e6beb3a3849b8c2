// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import Protos

/// One request over REST: what is asked, and which outputs go back as binary tensors.
package struct InferCall: Sendable {
    /// Model and version are empty: the path says them. Tensors are raw; parameters are without those that say how the body is put together.
    package var request: InferRequest
    /// What goes for outputs that say nothing of their own.
    package var isBinary: Bool
    /// What requested outputs say of their own.
    package var binary: [String: Bool] = [:]

    package init(_ request: InferRequest, isBinary: Bool = false, binary: [String: Bool] = [:]) {
        self.request = request
        self.isBinary = isBinary
        self.binary = binary
    }

    /// Reads a body.
    ///
    /// `jsonLength` is the value of `Inference-Header-Content-Length`; nil without one. With a length, the tensors' bytes follow the JSON. With
    /// a length of 0 all of the body is the one input that `fields` has. Every problem of every tensor is told, each by its name.
    /// Cost: one pass; numbers go straight into raw tensors, and binary ones stay where they are.
    package init(
        body: ArraySlice<UInt8>, jsonLength: Int? = nil, inputs fields: [Field]
    ) throws(OpenInferenceError) {
        if jsonLength == 0 {
            self.init(InferRequest(inputs: try RawBody.tensors(body, fields)), isBinary: false)
            return
        }
        let length = jsonLength ?? body.count
        guard length >= 0, length <= body.count else {
            throw OpenInferenceError("wanted a JSON header of \(length) bytes, found a body of \(body.count)")
        }
        var reading = CallReading(binary: body.dropFirst(length))
        try reading.read(body.prefix(length))
        self = try reading.call()
    }

    /// Why a requested output is none that the model has, or is requested twice; nil where all is well.
    package func strangeOutput(among fields: [Field]) -> OpenInferenceError? { request.strangeOutput(among: fields) }
}

extension InferRequest {
    /// Why a requested output is none that the model has, or is requested twice; nil where all is well.
    package func strangeOutput(among fields: [Field]) -> OpenInferenceError? {
        for (place, output) in outputs.enumerated() {
            guard fields.contains(where: { $0.name == output.name }) else {
                let names = fields.prefix(16).map { "\"\($0.name)\"" }.joined(separator: ", ")
                return .of(tensor: output.name, "wanted one of the outputs \(names), found none of that name")
            }
            guard !outputs[..<place].contains(where: { $0.name == output.name }) else {
                return .of(tensor: output.name, "wanted each output once, found it requested again")
            }
        }
        return nil
    }

    /// The outputs that were requested, in that order; all where none was.
    package func picked(from tensors: WireTensors) -> WireTensors {
        outputs.isEmpty ? tensors : WireTensors(entries: outputs.compactMap { tensors[$0.name] })
    }
}

/// A raw binary request: the body is one tensor and nothing else.
private enum RawBody {
    static func tensors(_ body: ArraySlice<UInt8>, _ fields: [Field]) throws(OpenInferenceError) -> WireTensors {
        guard fields.count == 1, let field = fields.first else {
            throw OpenInferenceError("wanted a model with one input for a raw binary request, found one with \(fields.count)")
        }
        do throws(ProtoError) { return WireTensors(entries: [try entry(body, field)]) } catch {
            throw .of(tensor: field.name, error.description)
        }
    }

    private static func entry(_ body: ArraySlice<UInt8>, _ field: Field) throws(ProtoError) -> WireTensors.Entry {
        guard TensorEncoding.raw.carries(field.dtype) else {
            throw ProtoError("wanted an input of a type that \(TensorEncoding.raw.name) carries, found \(field.dtype.rawValue)")
        }
        guard let width = field.dtype.width else {
            // The whole body is the one string.
            var bytes = withUnsafeBytes(of: UInt32(truncatingIfNeeded: body.count).littleEndian) { Array($0) }
            bytes.append(contentsOf: body)
            let shape = field.shape?.filled(by: 1) ?? [1]
            return WireTensors.Entry(
                name: field.name, outline: try TensorOutline(raw: bytes[...], .string, shape), encoding: .raw, bytes: bytes[...])
        }
        let count = body.count / width
        guard body.count % width == 0, let shape = (field.shape ?? [Shape.anyExtent]).filled(by: count) else {
            throw ProtoError("wanted the bytes of \(field.wanted), found \(body.count) bytes")
        }
        return WireTensors.Entry(
            name: field.name, outline: try TensorOutline(raw: body, field.dtype, shape), encoding: .raw, bytes: body)
    }
}
