// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CNghttp2

/// Header fields on their way into nghttp2: one buffer of text, lent as the array that it wants.
struct HeaderBlock {
    private var bytes: [UInt8] = []
    private var spans: [Span] = []
    private var fields: [nghttp2_nv] = []

    private struct Span {
        var start: Int
        var nameEnd: Int
        var end: Int
        /// Another value each time: not worth a place in the compression's table, and the entry that it would push out.
        var isFleeting: Bool
    }

    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    mutating func add(_ name: StaticString, _ value: StaticString) {
        add(Self.bytes(name), Self.bytes(value))
    }

    mutating func add(_ name: StaticString, _ value: String) {
        var value = value
        value.withUTF8 { add(Self.bytes(name), $0) }
    }

    mutating func add(_ name: StaticString, _ value: [UInt8]) {
        value.withUnsafeBufferPointer { add(Self.bytes(name), $0) }
    }

    /// Adds a number in decimal digits, with a unit perhaps.
    mutating func add(_ name: StaticString, decimal number: Int, unit: StaticString = "") {
        let start = bytes.count
        bytes.append(contentsOf: Self.bytes(name))
        let nameEnd = bytes.count
        appendDigits(number)
        bytes.append(contentsOf: Self.bytes(unit))
        spans.append(Span(start: start, nameEnd: nameEnd, end: bytes.count, isFleeting: Self.isFleeting(Self.bytes(name))))
    }

    private mutating func appendDigits(_ number: Int) {
        if number >= 10 { appendDigits(number / 10) }
        bytes.append(UInt8(truncatingIfNeeded: 48 + number % 10))
    }

    /// Adds all fields but those that mean something to HTTP/1 connections only. (RFC 9113 §8.2.2)
    mutating func add(_ headers: WireHeaders) {
        headers.forEachField { name, value in
            if !HTTP1Writer.belongsToConnection(name) { add(name, value) }
        }
    }

    private mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        let nameEnd = bytes.count
        bytes.append(contentsOf: value)
        spans.append(Span(start: start, nameEnd: nameEnd, end: bytes.count, isFleeting: Self.isFleeting(name)))
    }

    private static func isFleeting(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        switch name.count {
        case 11: name.isSame("traceparent")
        case 12: name.isSame("x-request-id") || name.isSame("grpc-timeout")
        default: false
        }
    }

    private static func bytes(_ text: StaticString) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// Lends the fields; nghttp2 copies what it keeps.
    mutating func withFields<R>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> R) -> R {
        bytes.withUnsafeMutableBufferPointer { text in
            for span in spans {
                fields.append(
                    nghttp2_nv(
                        name: text.baseAddress.map { $0 + span.start }, value: text.baseAddress.map { $0 + span.nameEnd },
                        namelen: span.nameEnd - span.start, valuelen: span.end - span.nameEnd,
                        flags: span.isFleeting ? UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue) : 0))
            }
            return fields.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
        }
    }
}
