// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// The `parameters` of an Open Inference message, kept as they came: they pass from caller to model by bytes.
package struct InferParameters: Hashable, Sendable {
    /// What a parameter can be.
    package enum Value: Hashable, Sendable {
        case bool(Bool), int(Int64), uint(UInt64), double(Double), string(String)
    }

    package static let none = InferParameters()

    /// More parameters than anybody gives.
    package static let most = 1024

    /// The entries of the `map<string, InferParameter>`, without their own tags and lengths.
    private(set) var entries: [ArraySlice<UInt8>] = []

    package init() {}

    package init(_ values: [(name: String, value: Value)]) {
        for (name, value) in values { append(name, value) }
    }

    package var isEmpty: Bool { entries.isEmpty }

    /// Adds a parameter; the last one of a name holds.
    package mutating func append(_ name: String, _ value: Value) {
        var inner = ProtoWriter()
        switch value {
        case .bool(let flag): inner.number(flag ? 1 : 0, field: 1)
        case .int(let number): inner.number(UInt64(bitPattern: number), field: 2)
        case .string(let text): inner.chunk(text.utf8, field: 3)
        case .double(let number):
            inner.varint(4 << 3 | 1)
            withUnsafeBytes(of: number.bitPattern.littleEndian) { inner.bytes.append(contentsOf: $0) }
        case .uint(let number): inner.number(number, field: 5)
        }
        var writer = ProtoWriter()
        writer.chunk(name.utf8, field: 1)
        writer.chunk(inner.bytes, field: 2)
        entries.append(writer.bytes[...])
    }

    mutating func append(entry: ArraySlice<UInt8>) throws(ProtoError) {
        guard entries.count < Self.most else { throw ProtoError("wanted at most \(Self.most) parameters, found more") }
        entries.append(entry)
        _ = try Self.decoded(entry)
    }

    /// The parameters in the order in which they came.
    package var values: [(name: String, value: Value)] {
        // What came in was looked at when it was appended, and what was made here is well-formed.
        entries.compactMap { try? Self.decoded($0) }
    }

    /// The parameters without those that a later one of the same name replaces.
    package var last: [(name: String, value: Value)] {
        var kept: [(name: String, value: Value)] = []
        for each in values {
            if let place = kept.firstIndex(where: { $0.name == each.name }) { kept[place] = each } else { kept.append(each) }
        }
        return kept
    }

    /// The value of one parameter; nil where there is none of that name.
    package subscript(name: String) -> Value? { isEmpty ? nil : values.last { $0.name == name }?.value }

    func write(to writer: inout ProtoWriter, field: Int) { for entry in entries { writer.chunk(entry, field: field) } }

    private static func decoded(_ entry: ArraySlice<UInt8>) throws(ProtoError) -> (name: String, value: Value) {
        try entry.scanning { (bytes) throws(ProtoError) in
            let (name, content) = try MapEntry.parts(of: bytes)
            var value: Value?
            var scan = ProtoScan(content)
            while let (number, type) = try scan.field() {
                switch (number, type) {
                case (1, .varint): value = .bool(try scan.varint() != 0)
                case (2, .varint): value = .int(Int64(bitPattern: try scan.varint()))
                case (3, .chunk): value = .string(try scan.chunk().text())
                case (4, .fixed64):
                    value = .double(Double(bitPattern: UInt64(littleEndian: try scan.fixed(8).loadUnaligned(as: UInt64.self))))
                case (5, .varint): value = .uint(try scan.varint())
                default: _ = try scan.content(of: type)
                }
            }
            guard let value else { throw ProtoError("parameter \"\(name)\": wanted a value, found none") }
            return (name, value)
        }
    }
}

/// What an Open Inference message says of all of its tensors together.
package struct InferBeside: Hashable, Sendable {
    package var id: String
    package var parameters: InferParameters

    package init(id: String = "", parameters: InferParameters = .none) {
        self.id = id
        self.parameters = parameters
    }
}

/// An output that an Open Inference caller asks for.
package struct RequestedOutput: Hashable, Sendable {
    package var name: String
    package var parameters: InferParameters

    package init(_ name: String, parameters: InferParameters = .none) {
        self.name = name
        self.parameters = parameters
    }
}
