// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract

/// An `inference.ModelInferRequest` with its tensors still encoded.
package struct InferRequest: Sendable {
    package var model: String
    package var version: String
    package var id: String
    package var parameters: InferParameters
    /// Always raw: typed contents were turned into it.
    package var inputs: WireTensors
    /// The outputs that the caller wants; all when it is empty.
    package var outputs: [RequestedOutput]
    /// Whether values came as `raw_input_contents`. Answers go the way that requests came.
    package var isRaw = true

    package init(
        model: String = "", version: String = "", id: String = "", parameters: InferParameters = .none,
        inputs: WireTensors, outputs: [RequestedOutput] = []
    ) {
        self.model = model
        self.version = version
        self.id = id
        self.parameters = parameters
        self.inputs = inputs
        self.inputs.beside = InferBeside(id: id, parameters: parameters)
        self.outputs = outputs
    }

    /// Checks all that the protocol asks of values: types, shapes, counts, contents of one kind, no name twice.
    ///
    /// Cost: raw contents stay where they are, only strings are walked.
    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        var reading = InferReading()
        try reading.read(message, requested: 6, raw: 7)
        self.init(
            model: reading.model, version: reading.version, id: reading.id, parameters: reading.parameters,
            inputs: try reading.tensors(), outputs: reading.outputs)
        isRaw = reading.isRaw
    }

    /// The message, with raw contents.
    package func message() throws(ProtoError) -> [UInt8] {
        var writing = InferWriting(model: model, version: version, id: id, parameters: parameters)
        return try writing.message(inputs, outputs, isRaw: true, rawField: 7)
    }
}

/// An `inference.ModelInferResponse` with its tensors still encoded.
package struct InferResponse: Sendable {
    package var model: String
    package var version: String
    package var id: String
    package var parameters: InferParameters
    package var outputs: WireTensors

    package init(
        model: String = "", version: String = "", id: String = "", parameters: InferParameters = .none, outputs: WireTensors
    ) {
        self.model = model
        self.version = version
        self.id = id
        self.parameters = parameters
        self.outputs = outputs
        self.outputs.beside = InferBeside(id: id, parameters: parameters)
    }

    /// Checks the answer as `InferRequest` checks a request.
    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        var reading = InferReading()
        try reading.read(message, requested: nil, raw: 6)
        self.init(
            model: reading.model, version: reading.version, id: reading.id, parameters: reading.parameters, outputs: try reading.tensors())
    }

    /// The message; with typed contents where `isRaw` is false, unless there is a half among them, which only raw contents can carry.
    package func message(isRaw: Bool = true) throws(ProtoError) -> [UInt8] {
        var writing = InferWriting(model: model, version: version, id: id, parameters: parameters)
        let mustBeRaw = outputs.entries.contains { $0.outline.dtype == .half }
        return try writing.message(outputs, [], isRaw: isRaw || mustBeRaw, rawField: 6)
    }

    /// A `ModelStreamInferResponse` with the answer.
    package func streamed(isRaw: Bool = true) throws(ProtoError) -> [UInt8] {
        var writer = ProtoWriter()
        writer.chunk(try message(isRaw: isRaw), field: 2)
        return writer.bytes
    }

    /// A `ModelStreamInferResponse` with an error.
    package static func streamed(error: String) -> [UInt8] {
        var writer = ProtoWriter()
        writer.text(error, field: 1)
        return writer.bytes
    }
}

/// One of the two messages on its way in: their fields 1 to 5 are alike.
private struct InferReading {
    var model = ""
    var version = ""
    var id = ""
    var parameters = InferParameters.none
    var outputs: [RequestedOutput] = []
    var isRaw: Bool { !raw.isEmpty }
    private var found: [InferTensor] = []
    private var raw: [ArraySlice<UInt8>] = []

    mutating func read(_ message: ArraySlice<UInt8>, requested: Int?, raw rawField: Int) throws(ProtoError) {
        try message.scanning { (bytes) throws(ProtoError) in
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                guard type == .chunk else { continue }
                switch number {
                case 1: model = try content.text()
                case 2: version = try content.text()
                case 3: id = try content.text()
                case 4: try parameters.append(entry: message.part(content, of: bytes))
                case 5: found.append(try InferTensor(scanning: message.part(content, of: bytes)))
                case requested: outputs.append(try Self.output(message.part(content, of: bytes)))
                case rawField: raw.append(message.part(content, of: bytes))
                default: break
                }
                guard max(found.count, raw.count, outputs.count) <= WireTensors.maxEntries else {
                    throw ProtoError("wanted at most \(WireTensors.maxEntries) tensors, found more")
                }
            }
        }
    }

    func tensors() throws(ProtoError) -> WireTensors {
        guard raw.isEmpty || raw.count == found.count else {
            throw ProtoError("wanted raw contents for each of \(found.count) tensors, found \(raw.count)")
        }
        var entries: [WireTensors.Entry] = []
        entries.reserveCapacity(found.count)
        for (place, tensor) in found.enumerated() {
            guard !entries.contains(where: { $0.name == tensor.name }) else {
                throw ProtoError("wanted one tensor of the name, found a second one").of(tensor: tensor.name)
            }
            entries.append(try tensor.entry(raw: raw.isEmpty ? nil : raw[place]))
        }
        return WireTensors(entries: entries)
    }

    private static func output(_ slice: ArraySlice<UInt8>) throws(ProtoError) -> RequestedOutput {
        try slice.scanning { (bytes) throws(ProtoError) in
            var output = RequestedOutput("")
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                guard type == .chunk else { continue }
                if number == 1 { output.name = try content.text() }
                if number == 2 { try output.parameters.append(entry: slice.part(content, of: bytes)) }
            }
            return output
        }
    }
}

private struct InferWriting {
    let model: String
    let version: String
    let id: String
    let parameters: InferParameters
    private var writer = ProtoWriter()

    init(model: String, version: String, id: String, parameters: InferParameters) {
        self.model = model
        self.version = version
        self.id = id
        self.parameters = parameters
    }

    mutating func message(
        _ tensors: WireTensors, _ outputs: [RequestedOutput], isRaw: Bool, rawField: Int
    ) throws(ProtoError) -> [UInt8] {
        let plain = try tensors.encoded(as: .raw)
        writer.bytes.reserveCapacity(plain.entries.reduce(128) { $0 + $1.bytes.count + 64 })
        writer.text(model, field: 1)
        writer.text(version, field: 2)
        writer.text(id, field: 3)
        parameters.write(to: &writer, field: 4)
        for entry in plain.entries { try InferTensor.write(entry, to: &writer, isRaw: isRaw) }
        for output in outputs {
            var inner = ProtoWriter()
            inner.chunk(output.name.utf8, field: 1)
            output.parameters.write(to: &inner, field: 2)
            writer.chunk(inner.bytes, field: 6)
        }
        if isRaw { for entry in plain.entries { writer.chunk(entry.bytes, field: rawField) } }
        return writer.bytes
    }
}
