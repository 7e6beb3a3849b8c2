// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
import JSON
import Protos

/// What the protocol tells of one input or output.
///
/// A type that the protocol has not is shown by its own name in capitals (`COMPLEX64`, `QINT8`, `MAP`; `ANY` for a field that takes every type),
/// so that people see what is there; such a tensor can only pass over Hydrosphere's protocols. A field without a shape is shown as `[-1]`.
package struct TensorMetadata: Hashable, Sendable {
    package var name: String
    package var datatype: String
    package var shape: [Int64]

    package init(_ field: Field) {
        name = field.name
        datatype = field.dtype.openInferenceName ?? field.dtype.rawValue.uppercased()
        shape = field.shape?.dims ?? [Shape.anyExtent]
    }
}

/// What the protocol tells of a model: the body of `GET v2/models/{name}`.
package struct ModelMetadata: Hashable, Sendable {
    package var name: String
    /// Empty where the server has no versions of it.
    package var versions: [String]
    package var platform: String
    package var inputs: [TensorMetadata]
    package var outputs: [TensorMetadata]

    package init(name: String, versions: [String], platform: String, signature: Signature) {
        self.name = name
        self.versions = versions
        self.platform = platform
        inputs = signature.inputs.map(TensorMetadata.init)
        outputs = signature.outputs.map(TensorMetadata.init)
    }

    package func json() -> [UInt8] {
        InferenceJSON.object { writer in
            writer.key("name")
            writer.string(name)
            if !versions.isEmpty {
                writer.key("versions")
                versions.write(to: &writer)
            }
            writer.key("platform")
            writer.string(platform)
            Self.write(inputs, "inputs", &writer)
            Self.write(outputs, "outputs", &writer)
        }
    }

    private static func write(_ tensors: [TensorMetadata], _ key: String, _ writer: inout JSONWriter) {
        writer.key(key)
        writer.beginArray()
        for tensor in tensors {
            writer.beginObject()
            writer.key("name")
            writer.string(tensor.name)
            writer.key("datatype")
            writer.string(tensor.datatype)
            writer.key("shape")
            // Unlike an empty list of versions, an empty shape says something: a scalar.
            tensor.shape.write(to: &writer)
            writer.endObject()
        }
        writer.endArray()
    }
}

/// One model of the repository's index: `POST v2/repository/index`.
package struct IndexedModel: Hashable, Sendable {
    package var name: String
    package var version: String
    package var isReady: Bool
    /// Why it is not ready.
    package var reason: String

    package init(name: String, version: String = "", isReady: Bool, reason: String = "") {
        self.name = name
        self.version = version
        self.isReady = isReady
        self.reason = reason
    }

    /// `READY` or `UNAVAILABLE`.
    package var state: String { isReady ? "READY" : "UNAVAILABLE" }
}

/// The small bodies of the protocol.
package enum InferenceJSON {
    /// The extensions that a server of ours has.
    package static let extensions = ["binary_tensor_data", "model_repository", "statistics"]

    /// The body of `GET v2`.
    package static func server(name: String, version: String, extensions: [String] = Self.extensions) -> [UInt8] {
        object { writer in
            writer.key("name")
            writer.string(name)
            writer.key("version")
            writer.string(version)
            writer.key("extensions")
            extensions.write(to: &writer)
        }
    }

    /// The body of `GET v2/health/live`.
    package static func live(_ isLive: Bool) -> [UInt8] { flag("live", isLive) }

    /// The body of `GET v2/health/ready`.
    package static func ready(_ isReady: Bool) -> [UInt8] { flag("ready", isReady) }

    /// The body of `GET v2/models/{name}/ready`.
    package static func ready(_ isReady: Bool, model: String) -> [UInt8] {
        object { writer in
            writer.key("name")
            writer.string(model)
            writer.key("ready")
            writer.bool(isReady)
        }
    }

    /// The body of every failure.
    package static func error(_ reason: String) -> [UInt8] {
        object { writer in
            writer.key("error")
            writer.string(reason)
        }
    }

    /// The body of `POST v2/repository/index`.
    package static func index(_ models: [IndexedModel]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for model in models {
            writer.beginObject()
            for (key, value) in [
                ("name", model.name), ("version", model.version), ("state", model.state), ("reason", model.reason),
            ] where key != "version" || !value.isEmpty {
                writer.key(key)
                writer.string(value)
            }
            writer.endObject()
        }
        writer.endArray()
        return writer.bytes
    }

    private static func flag(_ name: String, _ value: Bool) -> [UInt8] {
        object { writer in
            writer.key(name)
            writer.bool(value)
        }
    }

    static func object(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        members(&writer)
        writer.endObject()
        return writer.bytes
    }
}
