// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

extension JSONReader {
    /// Reads a string; escapes are resolved, bytes that are not UTF-8 are refused.
    package mutating func string() throws(JSONError) -> String {
        guard try peek() == .string else { throw failure("wanted a string, found \(found)") }
        let start = offset + 1
        let plain = try skipString()
        let content = UnsafeBufferPointer(rebasing: bytes[start..<offset - 1])
        return plain ? try utf8(content) : try unescaped(content)
    }

    /// Reads a number; whole ones that fit are exact 64-bit integers.
    package mutating func number() throws(JSONError) -> Number {
        guard try peek() == .number else { throw failure("wanted a number, found \(found)") }
        let start = offset
        let negative = bytes[offset] == UInt8(ascii: "-")
        if negative { offset += 1 }
        let (magnitude, overflow) = try wholePart()
        guard isFraction || overflow || (negative && magnitude == 0) else {
            if !negative, magnitude <= UInt64(Int64.max) { return .int(Int64(magnitude)) }
            if negative, magnitude <= UInt64(Int64.max) + 1 { return .int(Int64(truncatingIfNeeded: 0 &- magnitude)) }
            return .double(negative ? -Double(magnitude) : Double(magnitude))
        }
        try passFraction()
        return .double(try decimal(bytes[start..<offset]))
    }

    /// Reads a whole number; `1.0` counts as whole, `1.5` does not.
    package mutating func int() throws(JSONError) -> Int64 {
        let start = offset
        switch try number() {
        case .int(let whole): return whole
        case .double(let value):
            guard let whole = Int64(exactly: value) else {
                offset = start
                throw failure("wanted a whole number of 64 bits, found \(value)")
            }
            return whole
        }
    }

    /// Reads a whole number from 0 to 2^64 - 1.
    package mutating func uint() throws(JSONError) -> UInt64 {
        guard try peek() == .number else { throw failure("wanted a number, found \(found)") }
        let start = offset
        if bytes[offset] != UInt8(ascii: "-") {
            let (magnitude, overflow) = try wholePart()
            if !overflow, !isFraction { return magnitude }
            offset = start
        }
        let value = try double()
        guard let whole = UInt64(exactly: value) else {
            offset = start
            throw failure("wanted a whole number from 0 to 2^64 - 1, found \(value)")
        }
        return whole
    }

    /// Reads a number of either kind.
    package mutating func double() throws(JSONError) -> Double {
        switch try number() {
        case .int(let whole): Double(whole)
        case .double(let value): value
        }
    }

    /// Passes over a string and says whether it had no escapes.
    mutating func skipString() throws(JSONError) -> Bool {
        let opening = offset
        var plain = true
        offset += 1
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                offset += 1
                return plain
            case UInt8(ascii: "\\"):
                plain = false
                offset += 2
            case 0..<0x20:
                throw failure("wanted an escaped control character, found byte \(bytes[offset])")
            default: offset += 1
            }
        }
        offset = opening
        throw failure("wanted the end of a string, found the end of the text")
    }

    /// The text of a string's bytes with its escapes resolved.
    func unescaped(_ content: UnsafeBufferPointer<UInt8>) throws(JSONError) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(content.count)
        var at = 0
        while at < content.count {
            guard content[at] == UInt8(ascii: "\\") else {
                plain.append(content[at])
                at += 1
                continue
            }
            guard at + 1 < content.count else { throw failure("wanted an escape, found the end of the string") }
            let escape = content[at + 1]
            at += 2
            if escape == UInt8(ascii: "u") {
                plain.append(contentsOf: String(try scalar(content, &at)).utf8)
            } else {
                plain.append(try simple(escape))
            }
        }
        return try plain.withUnsafeBufferPointer { bytes in Result { () throws(JSONError) in try utf8(bytes) } }.get()
    }

    private func utf8(_ content: UnsafeBufferPointer<UInt8>) throws(JSONError) -> String {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw failure("wanted UTF-8, found bytes that are not")
        }
        return text
    }

    private func simple(_ escape: UInt8) throws(JSONError) -> UInt8 {
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return escape
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        default: throw failure("wanted one of \"\\/bfnrtu after a backslash, found byte \(escape)")
        }
    }

    private func scalar(_ content: UnsafeBufferPointer<UInt8>, _ at: inout Int) throws(JSONError) -> Unicode.Scalar {
        let first = try hex4(content, &at)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, at + 1 < content.count, content[at] == UInt8(ascii: "\\"), content[at + 1] == UInt8(ascii: "u") else {
            throw failure("wanted a pair of surrogates, found one alone")
        }
        at += 2
        let second = try hex4(content, &at)
        guard (0xdc00...0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff))
        else { throw failure("wanted a pair of surrogates, found one alone") }
        return scalar
    }

    private func hex4(_ content: UnsafeBufferPointer<UInt8>, _ at: inout Int) throws(JSONError) -> UInt32 {
        guard at + 4 <= content.count else { throw failure("wanted four hexadecimal digits, found the end of the string") }
        var value: UInt32 = 0
        for byte in content[at..<at + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("wanted four hexadecimal digits, found byte \(byte)")
            }
            value = value << 4 | UInt32(digit)
        }
        at += 4
        return value
    }

    private var isFraction: Bool {
        guard offset < bytes.count else { return false }
        return bytes[offset] == UInt8(ascii: ".") || bytes[offset] | 0x20 == UInt8(ascii: "e")
    }

    private mutating func wholePart() throws(JSONError) -> (UInt64, overflow: Bool) {
        let start = offset
        var magnitude: UInt64 = 0
        var overflow = false
        while offset < bytes.count, case let digit = bytes[offset] &- 48, digit < 10 {
            let (product, over) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            magnitude = sum
            overflow = overflow || over || carried
            offset += 1
        }
        guard offset > start else { throw failure("wanted a digit, found \(found)") }
        guard offset == start + 1 || bytes[start] != UInt8(ascii: "0") else { throw failure("wanted no leading zero in a number") }
        return (magnitude, overflow)
    }

    private mutating func passFraction() throws(JSONError) {
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            try passDigits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") { offset += 1 }
            try passDigits()
        }
    }

    private mutating func passDigits() throws(JSONError) {
        let start = offset
        while offset < bytes.count, bytes[offset] &- 48 < 10 { offset += 1 }
        guard offset > start else { throw failure("wanted a digit, found \(found)") }
    }

    private func decimal(_ text: Slice<UnsafeBufferPointer<UInt8>>) throws(JSONError) -> Double {
        // strtod wants a NUL behind the text; the copy lives on the stack for numbers of usual length.
        let value = withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { copy in
            for (place, byte) in text.enumerated() { copy[place] = CChar(bitPattern: byte) }
            copy[text.count] = 0
            return copy.baseAddress.map { strtod($0, nil) } ?? 0
        }
        guard value.isFinite else { throw failure("wanted a number within the range of a double, found one beyond it") }
        return value
    }
}
