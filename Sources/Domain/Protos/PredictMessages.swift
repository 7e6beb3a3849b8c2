// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

extension WireTensors {
    /// A `hydrosphere.serving.runtime.PredictRequest` or `PredictResponse`: the tensors as map field 1.
    ///
    /// Cost: one copy of the values, where they are in Hydrosphere's encoding or lie as they do there.
    package func message() throws(ProtoError) -> [UInt8] {
        var writer = ProtoWriter()
        try write(to: &writer, field: 1, as: .hydrosphere)
        return writer.bytes
    }

    /// Appends the tensors as a map field.
    func write(to writer: inout ProtoWriter, field: Int, as encoding: TensorEncoding) throws(ProtoError) {
        for entry in entries {
            do throws(ProtoError) { try entry.write(to: &writer, field: field, as: encoding) } catch { throw error.of(tensor: entry.name) }
        }
    }
}

extension WireTensors.Entry {
    fileprivate func write(to writer: inout ProtoWriter, field: Int, as encoding: TensorEncoding) throws(ProtoError) {
        let form = try TensorForm(self, as: encoding)
        let key = ProtoWriter.chunkSize(name.utf8.count, field: 1)
        let value = ProtoWriter.chunkSize(form.size, field: 2)
        writer.bytes.reserveCapacity(writer.bytes.count + key + value + 12)
        writer.open(field: field, size: key + value)
        writer.chunk(name.utf8, field: 1)
        writer.open(field: 2, size: form.size)
        form.write(to: &writer)
    }
}

/// A `hydrosphere.serving.gateway.GatewayPredictRequest` with its tensors still encoded.
package struct GatewayRequest: Sendable {
    /// The application, or the servable.
    package var name: String
    package var tensors: WireTensors

    package init(name: String, tensors: WireTensors) {
        self.name = name
        self.tensors = tensors
    }

    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        name = try message.scanning { (bytes) throws(ProtoError) in
            var name = ""
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                if number == 1, type == .chunk { name = try content.text() }
            }
            return name
        }
        tensors = try WireTensors(scanning: message, field: 2)
    }

    package func message() throws(ProtoError) -> [UInt8] {
        var writer = ProtoWriter()
        writer.chunk(name.utf8, field: 1)
        try tensors.write(to: &writer, field: 2, as: .hydrosphere)
        return writer.bytes
    }
}

/// A `tensorflow.serving.ModelSpec`: which model is meant.
package struct ModelSpec: Hashable, Sendable {
    package var name = ""
    package var version: Int64?
    package var label = ""
    package var signature = ""

    package init(name: String = "", version: Int64? = nil, label: String = "", signature: String = "") {
        self.name = name
        self.version = version
        self.label = label
        self.signature = signature
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(ProtoError) {
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            guard type == .chunk else { continue }
            switch number {
            case 1: name = try content.text()
            case 2: version = try Self.int64(content)
            case 3: signature = try content.text()
            case 4: label = try content.text()
            default: break
            }
        }
    }

    /// A `google.protobuf.Int64Value`; an empty one is 0.
    private static func int64(_ bytes: UnsafeRawBufferPointer) throws(ProtoError) -> Int64 {
        var value: UInt64 = 0
        var scan = ProtoScan(bytes)
        while let (number, type) = try scan.field() {
            if number == 1, type == .varint { value = try scan.varint() } else { _ = try scan.content(of: type) }
        }
        return Int64(bitPattern: value)
    }

    var message: [UInt8] {
        var writer = ProtoWriter()
        writer.text(name, field: 1)
        if let version {
            var value = ProtoWriter()
            if version != 0 { value.number(UInt64(bitPattern: version), field: 1) }
            writer.chunk(value.bytes, field: 2)
        }
        writer.text(signature, field: 3)
        writer.text(label, field: 4)
        return writer.bytes
    }
}

/// A `tensorflow.serving.PredictRequest` with its tensors still encoded.
package struct TensorFlowRequest: Sendable {
    package var model: ModelSpec
    package var inputs: WireTensors
    /// The outputs that the caller wants; all when it is empty.
    package var wanted: [String]

    package init(model: ModelSpec, inputs: WireTensors, wanted: [String] = []) {
        self.model = model
        self.inputs = inputs
        self.wanted = wanted
    }

    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        (model, wanted) = try message.scanning { (bytes) throws(ProtoError) in
            var (model, wanted) = (ModelSpec(), [String]())
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                guard type == .chunk else { continue }
                if number == 1 { try model.read(content) }
                if number == 3 {
                    wanted.append(try content.text())
                    guard wanted.count <= WireTensors.maxEntries else {
                        throw ProtoError("wanted at most \(WireTensors.maxEntries) names in output_filter, found more")
                    }
                }
            }
            return (model, wanted)
        }
        inputs = try WireTensors(scanning: message, field: 2, encoding: .tensorflow)
    }

    package func message() throws(ProtoError) -> [UInt8] {
        var writer = ProtoWriter()
        writer.chunk(model.message, field: 1)
        try inputs.write(to: &writer, field: 2, as: .tensorflow)
        for name in wanted { writer.chunk(name.utf8, field: 3) }
        return writer.bytes
    }
}

/// A `tensorflow.serving.PredictResponse` with its tensors still encoded.
package struct TensorFlowResponse: Sendable {
    package var model: ModelSpec
    package var outputs: WireTensors

    package init(model: ModelSpec, outputs: WireTensors) {
        self.model = model
        self.outputs = outputs
    }

    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        model = try message.scanning { (bytes) throws(ProtoError) in
            var model = ModelSpec()
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                if number == 2, type == .chunk { try model.read(content) }
            }
            return model
        }
        outputs = try WireTensors(scanning: message, field: 1, encoding: .tensorflow)
    }

    package func message() throws(ProtoError) -> [UInt8] {
        var writer = ProtoWriter()
        try outputs.write(to: &writer, field: 1, as: .tensorflow)
        writer.chunk(model.message, field: 2)
        return writer.bytes
    }
}
