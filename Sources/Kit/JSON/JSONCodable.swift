// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A type that can be read from JSON text and written back.
package protocol JSONCodable {
    init(from reader: inout JSONReader) throws(JSONError)
    func write(to writer: inout JSONWriter)
    /// Whether a record leaves the member out: nil, and empty collections.
    var isAbsent: Bool { get }
    /// What a record's member is when the text has none or `null`; nil where the type has no such value.
    static var whenAbsent: Self? { get }
}

extension JSONCodable {
    package var isAbsent: Bool { false }
    package static var whenAbsent: Self? { nil }

    /// Reads a whole document.
    package static func decode(json: some Collection<UInt8>) throws(JSONError) -> Self {
        try JSONReader.read(json) { (reader) throws(JSONError) in try Self(from: &reader) }
    }

    /// The value as JSON text.
    package func json() -> [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

extension String: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) { self = try reader.string() }
    package func write(to writer: inout JSONWriter) { writer.string(self) }
}

extension Bool: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) { self = try reader.bool() }
    package func write(to writer: inout JSONWriter) { writer.bool(self) }
}

extension Double: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) { self = try reader.double() }
    package func write(to writer: inout JSONWriter) { writer.double(self) }
}

extension Int64: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) { self = try reader.int() }
    package func write(to writer: inout JSONWriter) { writer.int(self) }
}

extension Int: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) { self = Int(try reader.int()) }
    package func write(to writer: inout JSONWriter) { writer.int(self) }
}

extension Optional: JSONCodable where Wrapped: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.nullIfPresent() ? nil : Wrapped(from: &reader)
    }
    package func write(to writer: inout JSONWriter) {
        if let self { self.write(to: &writer) } else { writer.null() }
    }
    package var isAbsent: Bool { self == nil }
    package static var whenAbsent: Self? { .some(nil) }
}

extension Array: JSONCodable where Element: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = []
        if try reader.nullIfPresent() { return }
        var items: [Element] = []
        try reader.array { (reader, _) throws(JSONError) in items.append(try Element(from: &reader)) }
        self = items
    }
    package func write(to writer: inout JSONWriter) {
        writer.beginArray()
        for item in self { item.write(to: &writer) }
        writer.endArray()
    }
    package var isAbsent: Bool { isEmpty }
    package static var whenAbsent: Self? { [] }
}

/// Written with sorted keys, so that equal values give equal bytes.
extension Dictionary: JSONCodable where Key == String, Value: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = [:]
        if try reader.nullIfPresent() { return }
        var members: [String: Value] = [:]
        try reader.object { (reader, key) throws(JSONError) in
            let name = String(decoding: key, as: UTF8.self)
            do throws(JSONError) { members[name] = try Value(from: &reader) } catch { throw error.inside(name) }
            return true
        }
        self = members
    }
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for (name, value) in sorted(by: { $0.key < $1.key }) {
            writer.key(name)
            value.write(to: &writer)
        }
        writer.endObject()
    }
    package var isAbsent: Bool { isEmpty }
    package static var whenAbsent: Self? { [:] }
}

extension RawRepresentable where RawValue == String, Self: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        let text = try reader.string()
        guard let value = Self(rawValue: text) else { throw reader.failure("wanted a \(Self.self), found \"\(text)\"") }
        self = value
    }
    package func write(to writer: inout JSONWriter) { writer.string(rawValue) }
}
