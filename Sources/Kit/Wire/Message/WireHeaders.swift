// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Header fields in order, names in lower case.
///
/// All text lies in one buffer: a message's headers cost two allocations however many there are, and a `String` is made
/// only for what is asked for.
package struct WireHeaders: Sendable {
    private struct Field {
        var start: Int
        var nameEnd: Int
        var end: Int
    }

    private var bytes: [UInt8] = []
    private var fields: [Field] = []

    package init() {}

    package var count: Int { fields.count }
    package var isEmpty: Bool { fields.isEmpty }

    /// Bytes of all names and values.
    private(set) var size = 0

    /// The first value of that name. Setting replaces all values of the name, and nil removes them.
    package subscript(name: String) -> String? {
        get { fields.first { matches($0, name) }.map(value) }
        set {
            let all = self
            fields.removeAll { all.matches($0, name) }
            if let newValue { append(name, newValue) }
        }
    }

    /// All values of that name, in order.
    package func values(of name: String) -> [String] { fields.filter { matches($0, name) }.map(value) }

    /// Whether there is a field of that name.
    package func contains(_ name: String) -> Bool { fields.contains { matches($0, name) } }

    /// Adds a field. Line breaks and NUL, with which a value could pretend to be another field, become spaces.
    package mutating func append(_ name: String, _ value: String) {
        var name = name
        var value = value
        name.withUTF8 { name in value.withUTF8 { append(name: name, value: $0) } }
    }

    /// Adds all fields of others.
    package mutating func append(contentsOf others: WireHeaders) {
        if isEmpty {
            self = others
            return
        }
        others.forEachField { append(name: $0, value: $1) }
    }

    /// Makes room for an ordinary message's fields, instead of growing by steps.
    package mutating func reserve() {
        bytes.reserveCapacity(320)
        fields.reserveCapacity(10)
    }

    /// Adds a field from bytes.
    mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        let nameEnd = bytes.count
        bytes.append(contentsOf: value)
        bytes.withUnsafeMutableBufferPointer { all in
            for i in start..<nameEnd { all[i] = all[i].loweredASCII }
            for i in nameEnd..<all.count where all[i] == 0 || all[i] == 10 || all[i] == 13 { all[i] = 32 }
        }
        fields.append(Field(start: start, nameEnd: nameEnd, end: bytes.count))
        size += name.count + value.count
    }

    /// Lends every name and value, as bytes, in order.
    func forEachField(_ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { all in
            for field in fields {
                body(
                    UnsafeBufferPointer(rebasing: all[field.start..<field.nameEnd]),
                    UnsafeBufferPointer(rebasing: all[field.nameEnd..<field.end]))
            }
        }
    }

    /// The first value of that name as bytes, without making a `String`.
    func bytes(of name: StaticString) -> ArraySlice<UInt8>? {
        let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        for field in fields where bytes[field.start..<field.nameEnd].elementsEqual(wanted) {
            return bytes[field.nameEnd..<field.end]
        }
        return nil
    }

    private func matches(_ field: Field, _ name: String) -> Bool {
        let wanted = name.utf8
        guard wanted.count == field.nameEnd - field.start else { return false }
        var i = field.start
        for byte in wanted {
            if bytes[i] != byte.loweredASCII { return false }
            i += 1
        }
        return true
    }

    private func value(_ field: Field) -> String { String(decoding: bytes[field.nameEnd..<field.end], as: UTF8.self) }

    private func name(_ field: Field) -> String { String(decoding: bytes[field.start..<field.nameEnd], as: UTF8.self) }
}

extension WireHeaders: Sequence {
    /// Names and values, in order.
    package func makeIterator() -> AnyIterator<(name: String, value: String)> {
        var rest = fields.makeIterator()
        return AnyIterator { rest.next().map { (name($0), value($0)) } }
    }
}

extension WireHeaders: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }
}

extension WireHeaders: Equatable {
    /// Same fields in the same order.
    package static func == (a: Self, b: Self) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }
}

extension WireHeaders: CustomStringConvertible {
    package var description: String { map { "\($0.name): \($0.value)" }.joined(separator: "\n") }
}

extension UInt8 {
    /// A to Z become a to z.
    var loweredASCII: UInt8 { self &- 65 < 26 ? self | 32 : self }
}
