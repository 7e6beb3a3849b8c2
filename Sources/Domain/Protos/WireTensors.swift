// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract

/// Named tensors as they lie on the wire, each with its outline. They pass from message to message by bytes.
package struct WireTensors: Sendable {
    package struct Entry: Sendable {
        package var name: String
        package var outline: TensorOutline
        /// The entry of the `map<string, Tensor>`, without its own tag and length.
        var bytes: ArraySlice<UInt8>
    }

    /// More fields than any signature has; names are looked up one by one.
    static let maxEntries = 1024

    /// At most one entry for each name.
    package private(set) var entries: [Entry]

    init(entries: [Entry]) { self.entries = entries }

    /// Finds the entries of a map field and outlines their tensors; the numbers are walked, not copied. The last entry of a name wins.
    package init(scanning message: ArraySlice<UInt8>, field: Int = 1) throws(ProtoError) {
        entries = try message.scanning { (bytes) throws(ProtoError) in
            var entries: [Entry] = []
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                guard number == field, type == .chunk else { continue }
                let (name, tensor) = try MapEntry.parts(of: content)
                let end = message.startIndex + scan.offset
                let entry = Entry(name: name, outline: try TensorOutline(scanning: tensor), bytes: message[end - content.count..<end])
                if let known = entries.firstIndex(where: { $0.name == name }) { entries[known] = entry } else { entries.append(entry) }
                guard entries.count <= Self.maxEntries else { throw ProtoError("wanted at most \(Self.maxEntries) tensors, found more") }
            }
            return entries
        }
    }

    /// Encodes tensors, in the order of their names.
    package init(_ tensors: [String: Tensor]) {
        entries = tensors.sorted { $0.key < $1.key }.map { name, tensor in
            var writer = ProtoWriter()
            writer.chunk(name.utf8, field: 1)
            writer.chunk(tensor.protobuf(), field: 2)
            return Entry(name: name, outline: TensorOutline(tensor), bytes: writer.bytes[...])
        }
    }

    package subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The outlines by name, for a check.
    package var outlines: [String: TensorOutline] {
        Dictionary(entries.map { ($0.name, $0.outline) }) { _, last in last }
    }

    /// The message that has the tensors as its map field 1: a `PredictRequest` or a `PredictResponse`.
    package func message() -> [UInt8] {
        var writer = ProtoWriter()
        writer.bytes.reserveCapacity(entries.reduce(0) { $0 + $1.bytes.count + 11 })
        for entry in entries { writer.chunk(entry.bytes, field: 1) }
        return writer.bytes
    }

    /// The named ones, each from here or else from `others`; what neither has is left out.
    package func picking(_ fields: [Field], orFrom others: WireTensors? = nil) -> WireTensors {
        WireTensors(entries: fields.compactMap { self[$0.name] ?? others?[$0.name] })
    }

    /// Decodes every tensor.
    package func tensors() throws(ProtoError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for entry in entries {
            tensors[entry.name] = try entry.bytes.scanning { (bytes) throws(ProtoError) in
                try Tensor(protobuf: try MapEntry.parts(of: bytes).tensor)
            }
        }
        return tensors
    }

    static func tensors(in message: UnsafeRawBufferPointer, field: Int, depth: Int) throws(ProtoError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        var scan = ProtoScan(message)
        while let (number, type) = try scan.field() {
            let content = try scan.content(of: type)
            guard number == field, type == .chunk else { continue }
            let (name, tensor) = try MapEntry.parts(of: content)
            tensors[name] = try Tensor(protobuf: tensor, depth: depth)
        }
        return tensors
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
                if number == 1, type == .chunk { name = String(decoding: content, as: UTF8.self) }
            }
            return name
        }
        tensors = try WireTensors(scanning: message, field: 2)
    }

    package func message() -> [UInt8] {
        var writer = ProtoWriter()
        writer.chunk(name.utf8, field: 1)
        for entry in tensors.entries { writer.chunk(entry.bytes, field: 2) }
        return writer.bytes
    }
}

extension TensorOutline {
    init(_ tensor: Tensor) {
        dtype = tensor.dtype
        shape = tensor.shape
        count = tensor.count
        entries = tensor.entries.map { $0.mapValues(TensorOutline.init) }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func scanning<Value>(_ body: (UnsafeRawBufferPointer) throws(ProtoError) -> Value) throws(ProtoError) -> Value {
        try withUnsafeBytes { bytes in
            Result { () throws(ProtoError) in try body(bytes) }
        }.get()
    }
}
