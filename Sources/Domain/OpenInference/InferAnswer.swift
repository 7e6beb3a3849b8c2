// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
package import Protos

/// An answer over REST, ready to be sent.
package struct InferAnswer: Equatable, Sendable {
    /// JSON, and behind it the bytes of binary tensors.
    package var body: [UInt8]
    /// The value of `Inference-Header-Content-Length`; nil where all of the body is JSON.
    package var jsonLength: Int?

    /// The content type that goes with it.
    package var contentType: String { jsonLength == nil ? "application/json" : "application/octet-stream" }

    /// Writes what the model gave, of it what was requested, each tensor in the way that was requested.
    ///
    /// An error names a tensor that the protocol, or JSON, cannot carry. Cost: numbers are written straight from the bytes;
    /// binary tensors are copied once.
    package init(_ response: InferResponse, for call: InferCall) throws(OpenInferenceError) {
        let outputs: WireTensors
        do throws(ProtoError) { outputs = try call.request.picked(from: response.outputs).encoded(as: .raw) } catch {
            throw OpenInferenceError(error.description)
        }
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        writer.key("model_name")
        writer.string(response.model)
        writer.text(response.version, "model_version")
        writer.text(response.id, "id")
        writer.parameters(response.parameters)
        writer.key("outputs")
        writer.beginArray()
        for entry in outputs.entries { try writer.tensor(entry, isBinary: call.binary[entry.name] ?? call.isBinary) }
        writer.endArray()
        writer.endObject()
        body = writer.bytes
        let binary = outputs.entries.filter { call.binary[$0.name] ?? call.isBinary }
        guard !binary.isEmpty else { return }
        jsonLength = body.count
        body.reserveCapacity(binary.reduce(body.count) { $0 + $1.bytes.count })
        for entry in binary { body.append(contentsOf: entry.bytes) }
    }
}

extension JSONWriter {
    fileprivate mutating func text(_ text: String, _ name: String) {
        guard !text.isEmpty else { return }
        key(name)
        string(text)
    }

    fileprivate mutating func parameters(_ parameters: InferParameters, binarySize: Int? = nil) {
        guard !parameters.isEmpty || binarySize != nil else { return }
        key("parameters")
        beginObject()
        for (name, value) in parameters.last {
            // Ours is the only one that is true of this body.
            if name == "binary_data_size" { continue }
            key(name)
            switch value {
            case .bool(let flag): bool(flag)
            case .int(let number): int(number)
            case .uint(let number): int(number)
            case .double(let number): double(number)
            case .string(let text): string(text)
            }
        }
        if let binarySize {
            key("binary_data_size")
            int(binarySize)
        }
        endObject()
    }

    fileprivate mutating func tensor(_ entry: WireTensors.Entry, isBinary: Bool) throws(OpenInferenceError) {
        let dtype = entry.outline.dtype
        beginObject()
        key("name")
        string(entry.name)
        key("shape")
        beginArray()
        for dim in entry.outline.shape?.dims ?? [Int64(entry.outline.count)] { int(dim) }
        endArray()
        key("datatype")
        string(dtype.openInferenceName ?? "")
        parameters(entry.parameters, binarySize: isBinary ? entry.bytes.count : nil)
        if !isBinary, let kind = dtype.packed {
            key("data")
            let count = Int64(entry.outline.count)
            var writer = self
            self = JSONWriter(reserving: 0)
            let outcome = entry.bytes.withUnsafeBytes { bytes in
                Result { () throws(PackedError) in try writer.lists(bytes, of: kind, dims: [count]) }
            }
            self = writer
            if case .failure(let error) = outcome { throw Self.error(error, of: entry.name) }
        }
        endObject()
    }

    private static func error(_ error: PackedError, of name: String) -> OpenInferenceError {
        switch error {
        case .notText(let place):
            .of(tensor: name, "wanted UTF-8 for JSON, found other bytes in element \(place); ask for the output with \"binary_data\": true")
        case .wrongCount: .of(tensor: name, "wanted as many elements as its shape says, found others")
        }
    }
}
