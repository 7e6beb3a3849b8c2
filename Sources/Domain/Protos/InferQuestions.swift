// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract

/// What is asked of one model: a `ModelReadyRequest`, a `ModelMetadataRequest` or a `ModelStatisticsRequest` of Open Inference.
package struct ModelQuestion: Hashable, Sendable {
    package var name = ""
    package var version = ""

    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        self = try message.scanning { (bytes) throws(ProtoError) in
            var question = ModelQuestion()
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                guard type == .chunk else { continue }
                if number == 1 { question.name = try content.text() }
                if number == 2 { question.version = try content.text() }
            }
            return question
        }
    }

    private init() {}
}

/// A `RepositoryIndexRequest`.
package struct RepositoryQuestion: Hashable, Sendable {
    /// Whether only models are wanted that can be asked.
    package var isReadyOnly = false

    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        isReadyOnly = try message.scanning { (bytes) throws(ProtoError) in
            var flag = false
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                if number == 2, type == .varint { flag = try scan.varint() != 0 } else { _ = try scan.content(of: type) }
            }
            return flag
        }
    }
}

/// A tensor as a model's metadata describes it: the Open Inference name of its type, and extents with -1 for an open one.
package struct TensorDescription: Hashable, Sendable {
    package var name: String
    package var datatype: String
    package var shape: [Int64]

    /// A type that Open Inference does not have keeps its own name, in capitals; any shape is one open extent.
    package init(_ field: Field) {
        name = field.name
        datatype = field.dtype.openInferenceName ?? field.dtype.rawValue.uppercased()
        shape = field.shape?.dims ?? [Shape.anyExtent]
    }

    fileprivate var message: [UInt8] {
        var writer = ProtoWriter()
        writer.text(name, field: 1)
        writer.text(datatype, field: 2)
        if !shape.isEmpty {
            var dims = ProtoWriter()
            for dim in shape { dims.varint(UInt64(bitPattern: dim)) }
            writer.chunk(dims.bytes, field: 3)
        }
        return writer.bytes
    }
}

/// What a model says of itself.
package struct ModelDescription: Hashable, Sendable {
    package var name: String
    package var versions: [String]
    package var platform: String
    package var inputs: [TensorDescription]
    package var outputs: [TensorDescription]

    package init(name: String, versions: [String], platform: String, signature: Signature) {
        self.name = name
        self.versions = versions
        self.platform = platform
        inputs = signature.inputs.map(TensorDescription.init)
        outputs = signature.outputs.map(TensorDescription.init)
    }

    /// A `ModelMetadataResponse`.
    package func message() -> [UInt8] {
        var writer = ProtoWriter()
        writer.text(name, field: 1)
        for version in versions { writer.chunk(version.utf8, field: 2) }
        writer.text(platform, field: 3)
        for tensor in inputs { writer.chunk(tensor.message, field: 4) }
        for tensor in outputs { writer.chunk(tensor.message, field: 5) }
        return writer.bytes
    }
}

/// One version of a model in the index of a repository.
package struct ModelIndexEntry: Hashable, Sendable {
    package var name: String
    package var version: String
    /// `READY` or `UNAVAILABLE`.
    package var state: String
    package var reason: String

    package init(name: String, version: String, isReady: Bool, reason: String = "") {
        self.name = name
        self.version = version
        state = isReady ? "READY" : "UNAVAILABLE"
        self.reason = reason
    }

    package var isReady: Bool { state == "READY" }

    /// A `RepositoryIndexResponse`.
    package static func message(_ entries: [ModelIndexEntry]) -> [UInt8] {
        var writer = ProtoWriter()
        for entry in entries {
            var inner = ProtoWriter()
            inner.text(entry.name, field: 1)
            inner.text(entry.version, field: 2)
            inner.text(entry.state, field: 3)
            inner.text(entry.reason, field: 4)
            writer.chunk(inner.bytes, field: 1)
        }
        return writer.bytes
    }
}

/// What one version of a model was asked, since the server began.
package struct ModelStatistics: Hashable, Sendable {
    package var name: String
    package var version: String
    package var answered: UInt64
    package var failed: UInt64
    /// What the answered requests took together.
    package var nanoseconds: UInt64

    package init(name: String, version: String, answered: UInt64, failed: UInt64, nanoseconds: UInt64) {
        self.name = name
        self.version = version
        self.answered = answered
        self.failed = failed
        self.nanoseconds = nanoseconds
    }

    /// A `ModelStatisticsResponse`.
    package static func message(_ all: [ModelStatistics]) -> [UInt8] {
        var writer = ProtoWriter()
        for each in all { writer.chunk(each.message, field: 1) }
        return writer.bytes
    }

    private var message: [UInt8] {
        var inner = ProtoWriter()
        inner.chunk(Self.duration(answered, nanoseconds), field: 1)
        inner.chunk(Self.duration(failed, 0), field: 2)
        inner.chunk(Self.duration(answered, nanoseconds), field: 5)
        var writer = ProtoWriter()
        writer.text(name, field: 1)
        writer.text(version, field: 2)
        if answered > 0 {
            writer.number(answered, field: 4)
            writer.number(answered, field: 5)
        }
        writer.chunk(inner.bytes, field: 6)
        return writer.bytes
    }

    /// A `StatisticDuration`.
    private static func duration(_ count: UInt64, _ nanoseconds: UInt64) -> [UInt8] {
        var writer = ProtoWriter()
        if count > 0 { writer.number(count, field: 1) }
        if nanoseconds > 0 { writer.number(nanoseconds, field: 2) }
        return writer.bytes
    }
}

/// Answers about the server that are no more than a few words.
package enum InferAnswers {
    /// A `ServerLiveResponse`, a `ServerReadyResponse` or a `ModelReadyResponse`.
    package static func flag(_ isSo: Bool) -> [UInt8] {
        var writer = ProtoWriter()
        if isSo { writer.number(1, field: 1) }
        return writer.bytes
    }

    /// A `ServerMetadataResponse`.
    package static func server(name: String, version: String, extensions: [String]) -> [UInt8] {
        var writer = ProtoWriter()
        writer.text(name, field: 1)
        writer.text(version, field: 2)
        for each in extensions { writer.chunk(each.utf8, field: 3) }
        return writer.bytes
    }

    /// A `ModelStreamInferResponse` with an error.
    package static func streamed(error: String) -> [UInt8] {
        var writer = ProtoWriter()
        writer.text(error, field: 1)
        return writer.bytes
    }
}
