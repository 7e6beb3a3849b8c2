// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// A number as it stands in the text: `mantissa` × 10^`exponent`, of which the first 19 digits are kept.
struct Decimal {
    var mantissa: UInt64 = 0
    var exponent = 0
    var isNegative = false
    /// No fraction and no exponent were written.
    var isWhole = true
    /// There were more digits than the mantissa holds.
    var isCut = false
    /// The mantissa takes no more digits.
    fileprivate var isFull = false
    var text: UnsafeBufferPointer<UInt8>

    /// The nearest double; infinite where the number is beyond them all.
    var double: Double {
        guard !isCut else { return long }
        let magnitude: Double
        if mantissa < 1 << 53, exponent >= -22, exponent <= 22 {
            // Both numbers are exact, so the one rounding is that of the product.
            magnitude = exponent < 0 ? Double(mantissa) / Self.tens[-exponent] : Double(mantissa) * Self.tens[exponent]
        } else {
            guard let near = nearest else { return long }
            magnitude = near
        }
        return isNegative ? -magnitude : magnitude
    }

    /// The nearest float, rounded once; `wide` is the nearest double.
    func float(near wide: Double) -> Float {
        // Half-way between two floats, or among the smallest: rounding twice could go astray.
        guard wide.bitPattern & 0x1fff_ffff != 0x1000_0000, wide == 0 || abs(wide) >= 0x1p-126 else {
            return terminated { strtof($0, nil) } ?? 0
        }
        return Float(wide)
    }

    private static let tens: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// The algorithm of Eisel and Lemire; nil for the few that need more digits, and for subnormal numbers.
    private var nearest: Double? {
        guard mantissa != 0, exponent >= PowersOfFive.smallest else { return mantissa == 0 ? 0 : nil }
        guard exponent <= PowersOfFive.largest else { return .infinity }
        let shift = mantissa.leadingZeroBitCount
        let word = mantissa << UInt64(shift)
        let place = 2 * (exponent - PowersOfFive.smallest)
        var (high, low) = word.multipliedFullWidth(by: PowersOfFive.words[place])
        if high & 0x1ff == 0x1ff {
            let (carry, overflow) = low.addingReportingOverflow(word.multipliedFullWidth(by: PowersOfFive.words[place + 1]).high)
            low = carry
            if overflow { high += 1 }
        }
        if low == .max, exponent < -27 || exponent > 55 { return nil }
        let upper = high >> 63
        var bits = high >> (upper + 9)
        var power = ((217706 * exponent) >> 16) + 63 + Int(upper) - shift + 1023
        guard power > 0 else { return nil }
        if low <= 1, exponent >= -4, exponent <= 23, bits & 3 == 1, bits << (upper + 9) == high { bits &= ~1 }
        bits = (bits + (bits & 1)) >> 1
        if bits >= 1 << 53 {
            bits = 1 << 52
            power += 1
        }
        guard power < 0x7ff else { return .infinity }
        return Double(bitPattern: bits & ~(1 << 52) | UInt64(power) << 52)
    }

    private var long: Double { terminated { strtod($0, nil) } ?? 0 }

    private func terminated<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value? {
        // The C library wants a NUL behind the text; the copy lives on the stack for numbers of usual length.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { copy in
            for (place, byte) in text.enumerated() { copy[place] = CChar(bitPattern: byte) }
            copy[text.count] = 0
            return copy.baseAddress.map { body($0) }
        }
    }

    /// The magnitude, where the number is whole and below 2^64.
    var whole: UInt64? {
        guard !isCut else { return nil }
        if exponent == 0 || mantissa == 0 { return mantissa }
        guard abs(exponent) < Self.wholeTens.count else { return nil }
        let power = Self.wholeTens[abs(exponent)]
        if exponent < 0 { return mantissa % power == 0 ? mantissa / power : nil }
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: power)
        return overflow ? nil : product
    }

    /// The number, where it is whole and within 64 bits with sign.
    var int: Int64? {
        guard let whole else { return nil }
        if isNegative { return whole <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- whole) : nil }
        return Int64(exactly: whole)
    }

    /// The number, where it is whole and within 64 bits without sign.
    var uint: UInt64? { whole.flatMap { isNegative && $0 != 0 ? nil : $0 } }

    private static let wholeTens: [UInt64] = {
        var powers: [UInt64] = [1]
        while powers.count < 20 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()
}

extension JSONReader {
    /// Reads the number that stands here, by the grammar of JSON.
    mutating func decimal() throws(JSONError) -> Decimal {
        let start = offset
        var number = Decimal(text: UnsafeBufferPointer(rebasing: bytes[start..<start]))
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "-") {
            number.isNegative = true
            offset += 1
        }
        let first = offset
        digits(into: &number)
        guard offset > first else { throw failure("wanted a digit, found \(found)") }
        guard offset == first + 1 || bytes[first] != UInt8(ascii: "0") else { throw failure("wanted no leading zero in a number") }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            number.isWhole = false
            offset += 1
            let first = offset
            digits(into: &number, areFraction: true)
            guard offset > first else { throw failure("wanted a digit, found \(found)") }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            number.isWhole = false
            try exponent(of: &number)
        }
        number.text = UnsafeBufferPointer(rebasing: bytes[start..<offset])
        return number
    }

    @inline(__always)
    private mutating func digits(into number: inout Decimal, areFraction: Bool = false) {
        var at = offset
        var mantissa = number.mantissa
        var exponent = number.exponent
        var isFull = number.isFull
        while at < bytes.count {
            let digit = bytes[at] &- 48
            guard digit < 10 else { break }
            at += 1
            // Ten times this and 5 are the largest number of 64 bits.
            if !isFull, mantissa < 1_844_674_407_370_955_161 || mantissa == 1_844_674_407_370_955_161 && digit <= 5 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                if areFraction { exponent -= 1 }
            } else {
                isFull = true
                if digit != 0 { number.isCut = true }
                if !areFraction { exponent += 1 }
            }
        }
        number.isFull = isFull
        offset = at
        number.mantissa = mantissa
        number.exponent = exponent
    }

    private mutating func exponent(of number: inout Decimal) throws(JSONError) {
        offset += 1
        var isNegative = false
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
            isNegative = bytes[offset] == UInt8(ascii: "-")
            offset += 1
        }
        let first = offset
        var exponent = 0
        while offset < bytes.count, case let digit = bytes[offset] &- 48, digit < 10 {
            // Beyond this, no mantissa of any length that fits in memory brings the number back into range.
            if exponent < 1 << 40 { exponent = exponent * 10 + Int(digit) }
            offset += 1
        }
        guard offset > first else { throw failure("wanted a digit, found \(found)") }
        number.exponent += isNegative ? -exponent : exponent
    }
}
