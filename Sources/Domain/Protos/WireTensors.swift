// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract

/// Named tensors as they lie on the wire, each with its outline. Where caller and model share an encoding, they pass by bytes.
package struct WireTensors: Sendable {
    package struct Entry: Sendable {
        package var name: String
        package var outline: TensorOutline
        package var encoding: TensorEncoding
        /// The tensor's own bytes, in its encoding. They may be a part of the message that they came in.
        package var bytes: ArraySlice<UInt8>
        /// What Open Inference says beside the values; other protocols have no place for it.
        package var parameters: InferParameters

        package init(
            name: String, outline: TensorOutline, encoding: TensorEncoding, bytes: ArraySlice<UInt8>, parameters: InferParameters = .none
        ) {
            self.name = name
            self.outline = outline
            self.encoding = encoding
            self.bytes = bytes
            self.parameters = parameters
        }
    }

    /// More fields than any signature has; names are looked up one by one.
    package static let maxEntries = 1024

    /// At most one entry for each name.
    package private(set) var entries: [Entry]
    /// What Open Inference says beside all of the tensors; other protocols have no place for it.
    package var beside = InferBeside()

    /// The caller sees to it that names are unique.
    package init(entries: [Entry] = []) { self.entries = entries }

    /// Finds the entries of a map field and outlines their tensors; the numbers are walked, not copied. The last entry of a name wins.
    package init(
        scanning message: ArraySlice<UInt8>, field: Int = 1, encoding: TensorEncoding = .hydrosphere
    ) throws(ProtoError) {
        entries = try message.scanning { (bytes) throws(ProtoError) in
            var entries: [Entry] = []
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let content = try scan.content(of: type)
                guard number == field, type == .chunk else { continue }
                let entry = try Self.entry(content, in: message.part(content, of: bytes), encoding)
                if let known = entries.firstIndex(where: { $0.name == entry.name }) {
                    entries[known] = entry
                } else {
                    entries.append(entry)
                }
                guard entries.count <= Self.maxEntries else { throw ProtoError("wanted at most \(Self.maxEntries) tensors, found more") }
            }
            return entries
        }
    }

    private static func entry(
        _ content: UnsafeRawBufferPointer, in slice: ArraySlice<UInt8>, _ encoding: TensorEncoding
    ) throws(ProtoError) -> Entry {
        let (name, tensor) = try MapEntry.parts(of: content)
        do throws(ProtoError) {
            let outline =
                encoding == .tensorflow ? try TensorOutline(scanningTensorFlow: tensor) : try TensorOutline(scanning: tensor)
            return Entry(name: name, outline: outline, encoding: encoding, bytes: slice.part(tensor, of: content))
        } catch { throw error.of(tensor: name) }
    }

    /// Encodes tensors Hydrosphere's way, in the order of their names.
    package init(_ tensors: [String: Tensor]) {
        entries = tensors.sorted { $0.key < $1.key }.map { name, tensor in
            Entry(name: name, outline: TensorOutline(tensor), encoding: .hydrosphere, bytes: tensor.protobuf()[...])
        }
    }

    package subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The outlines by name, for a check.
    package var outlines: [String: TensorOutline] {
        Dictionary(entries.map { ($0.name, $0.outline) }) { _, last in last }
    }

    /// The named ones, each from here or else from `others`; what neither has is left out.
    package func picking(_ fields: [Field], orFrom others: WireTensors? = nil) -> WireTensors {
        var picked = WireTensors(entries: fields.compactMap { self[$0.name] ?? others?[$0.name] })
        picked.beside = beside
        return picked
    }

    /// The same values with every tensor in one encoding; those that are so already keep their bytes.
    ///
    /// An error names the tensor and what of it the encoding cannot carry.
    package func encoded(as encoding: TensorEncoding) throws(ProtoError) -> WireTensors {
        var entries = entries
        for place in entries.indices where entries[place].encoding != encoding {
            entries[place] = try entries[place].encoded(as: encoding)
        }
        var encoded = WireTensors(entries: entries)
        encoded.beside = beside
        return encoded
    }

    /// Decodes every tensor.
    package func tensors() throws(ProtoError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for entry in entries { tensors[entry.name] = try entry.tensor() }
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

extension WireTensors.Entry {
    /// The same tensor in another encoding, or itself where it is in that one.
    package func encoded(as encoding: TensorEncoding) throws(ProtoError) -> WireTensors.Entry {
        guard encoding != self.encoding else { return self }
        do throws(ProtoError) {
            let form = try TensorForm(self, as: encoding)
            return WireTensors.Entry(name: name, outline: form.outline, encoding: encoding, bytes: form.bytes(), parameters: parameters)
        } catch { throw error.of(tensor: name) }
    }

    /// The decoded tensor.
    package func tensor() throws(ProtoError) -> Tensor {
        let plain = try encoded(as: .hydrosphere)
        do throws(ProtoError) {
            return try plain.bytes.scanning { (bytes) throws(ProtoError) in try Tensor(protobuf: bytes) }
        } catch { throw error.of(tensor: name) }
    }
}

extension TensorOutline {
    init(_ tensor: Tensor) {
        dtype = tensor.dtype
        shape = tensor.shape
        count = tensor.count
        listed = count
        entries = tensor.entries.map { $0.mapValues(TensorOutline.init) }
    }
}

extension ArraySlice<UInt8> {
    func scanning<Value>(_ body: (UnsafeRawBufferPointer) throws(ProtoError) -> Value) throws(ProtoError) -> Value {
        try withUnsafeBytes { bytes in
            Result { () throws(ProtoError) in try body(bytes) }
        }.get()
    }

    /// The slice that a part of this one's bytes is. `whole` are the bytes of this slice.
    func part(_ part: UnsafeRawBufferPointer, of whole: UnsafeRawBufferPointer) -> ArraySlice<UInt8> {
        guard let start = whole.baseAddress, let place = part.baseAddress, !part.isEmpty else { return self[startIndex..<startIndex] }
        let offset = startIndex + (place - start)
        return self[offset..<offset + part.count]
    }
}
