// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

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
        let number = try decimal()
        if number.isWhole, !(number.isNegative && number.mantissa == 0), let whole = number.int { return .int(whole) }
        return .double(try finite(number))
    }

    /// Reads a whole number; `1.0` counts as whole, `1.5` does not.
    package mutating func int() throws(JSONError) -> Int64 {
        guard try peek() == .number else { throw failure("wanted a number, found \(found)") }
        let start = offset
        let number = try decimal()
        guard let whole = number.int else {
            let value = try finite(number)
            offset = start
            throw failure("wanted a whole number of 64 bits, found \(value)")
        }
        return whole
    }

    /// Reads a whole number from 0 to 2^64 - 1.
    package mutating func uint() throws(JSONError) -> UInt64 {
        guard try peek() == .number else { throw failure("wanted a number, found \(found)") }
        let start = offset
        let number = try decimal()
        guard let whole = number.uint else {
            let value = try finite(number)
            offset = start
            throw failure("wanted a whole number from 0 to 2^64 - 1, found \(value)")
        }
        return whole
    }

    /// Reads a number of either kind.
    package mutating func double() throws(JSONError) -> Double {
        guard try peek() == .number else { throw failure("wanted a number, found \(found)") }
        return try finite(try decimal())
    }

    func finite(_ number: Decimal) throws(JSONError) -> Double {
        let value = number.double
        guard value.isFinite else { throw failure("wanted a number within the range of a double, found one beyond it") }
        return value
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
}
