// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A struct that is a JSON object: it names its fields once, and can be read, written and compared by them.
///
/// Members that it doesn't name are skipped when read.
package protocol JSONRecord: JSONCodable, Equatable, Sendable {
    init()
    static var fields: JSONFields<Self> { get }
}

/// The members of a record, in the order in which they are written.
package struct JSONFields<Root: Sendable>: Sendable, ExpressibleByArrayLiteral {
    package var list: [JSONField<Root>]

    package init(_ list: [JSONField<Root>]) { self.list = list }
    package init(arrayLiteral elements: JSONField<Root>...) { list = elements }
}

/// One member: its name, how it is read into the record and how it is written.
package struct JSONField<Root: Sendable>: Sendable {
    package let name: String
    let bytes: [UInt8]
    let isRequired: Bool
    let read: @Sendable (inout Root, inout JSONReader) throws(JSONError) -> Void
    let write: @Sendable (Root, inout JSONWriter) -> Void

    /// A member that may be missing; the record's own initial value then stands.
    package init<Value: JSONCodable & Sendable>(_ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable) {
        self.init(name, path, isRequired: false)
    }

    /// A member that must be there.
    package static func required<Value: JSONCodable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable
    ) -> JSONField { JSONField(name, path, isRequired: true) }

    private init<Value: JSONCodable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable, isRequired: Bool
    ) {
        self.name = name
        self.isRequired = isRequired
        bytes = Array(name.utf8)
        read = { (root, reader) throws(JSONError) in
            // `null` is as good as missing, as the Kubernetes API has it.
            if let absent = Value.whenAbsent, try reader.nullIfPresent() {
                root[keyPath: path] = absent
            } else {
                root[keyPath: path] = try Value(from: &reader)
            }
        }
        write = { root, writer in
            let value = root[keyPath: path]
            guard isRequired || !value.isAbsent else { return }
            writer.key(name)
            value.write(to: &writer)
        }
    }
}

extension JSONRecord {
    package init(from reader: inout JSONReader) throws(JSONError) {
        self.init()
        try read(from: &reader)
    }

    /// Reads the members that the object names; the others keep what they were.
    package mutating func read(from reader: inout JSONReader) throws(JSONError) {
        let fields = Self.fields.list
        var seen: UInt64 = 0
        var record = self
        try reader.object { (reader, key) throws(JSONError) in
            guard let place = fields.firstIndex(where: { $0.matches(key) }) else { return false }
            seen |= 1 << UInt64(place & 63)
            do throws(JSONError) { try fields[place].read(&record, &reader) } catch { throw error.inside(fields[place].name) }
            return true
        }
        self = record
        for (place, field) in fields.enumerated() where field.isRequired && seen & (1 << UInt64(place & 63)) == 0 {
            throw reader.failure("wanted a member \"\(field.name)\", found none")
        }
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writeMembers(to: &writer)
        writer.endObject()
    }

    /// Writes the members without the braces around them.
    package func writeMembers(to writer: inout JSONWriter) {
        for field in Self.fields.list { field.write(self, &writer) }
    }
}

extension JSONField {
    func matches(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        key.count == bytes.count && bytes.elementsEqual(key)
    }
}
