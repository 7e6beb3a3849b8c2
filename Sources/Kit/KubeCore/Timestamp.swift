// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// A moment in UTC, as the API writes it (RFC 3339), to the microsecond.
///
/// Written without a fraction where there is none, as `metav1.Time` is; `MicroTime` always has six digits.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    package init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    /// The whole seconds since 1970.
    package var seconds: Int64 { microseconds.flooredQuotient(1_000_000) }

    /// The same moment without its fraction, as most of the API keeps it.
    package var wholeSeconds: Timestamp { Timestamp(seconds: seconds) }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .microseconds(later.microseconds - earlier.microseconds)
    }

    package static func + (start: Timestamp, span: Duration) -> Timestamp {
        let (whole, fraction) = span.components
        return Timestamp(microseconds: start.microseconds + whole * 1_000_000 + fraction / 1_000_000_000_000)
    }

    package var description: String {
        let fraction = microseconds - seconds * 1_000_000
        return fraction == 0 ? "\(civil)Z" : "\(civil).\(Self.padded(fraction, 6))Z"
    }

    /// With six digits of fraction, as `metav1.MicroTime` wants it.
    package var microText: String { "\(civil).\(Self.padded(microseconds - seconds * 1_000_000, 6))Z" }

    /// Reads `2026-01-31T12:00:00Z`, with an optional fraction and an optional offset instead of `Z`.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] | 0x20 == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = Self.digits(bytes[0..<4]), let month = Self.digits(bytes[5..<7]), let day = Self.digits(bytes[8..<10]),
            let hour = Self.digits(bytes[11..<13]), let minute = Self.digits(bytes[14..<16]), let second = Self.digits(bytes[17..<19]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var rest = bytes[19...]
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let figures = rest.dropFirst().prefix { $0 &- 48 < 10 }
            guard !figures.isEmpty, let value = Self.digits(figures.prefix(6)) else { return nil }
            fraction = value * (0..<max(0, 6 - figures.count)).reduce(1) { scale, _ in scale * 10 }
            rest = rest.dropFirst(1 + figures.count)
        }
        guard let offset = Self.offset(rest) else { return nil }
        let seconds = Self.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        microseconds = seconds * 1_000_000 + fraction
    }
}

extension Timestamp {
    private static func digits(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard bytes.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return bytes.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    private static func offset(_ zone: ArraySlice<UInt8>) -> Int64? {
        if zone.count == 1, let only = zone.first, only | 0x20 == UInt8(ascii: "z") { return 0 }
        guard zone.count == 6, let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let hours = digits(zone.dropFirst().prefix(2)), let minutes = digits(zone.suffix(2))
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    // Days from 1970-01-01 in the proleptic Gregorian calendar; eras of 400 years, years that begin in March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private var civil: String {
        let day = seconds.flooredQuotient(86_400)
        let shifted = day + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let clock = seconds - day * 86_400
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(dayOfYear - (153 * monthIndex + 2) / 5 + 1, 2))"
        return "\(date)T\(Self.padded(clock / 3600, 2)):\(Self.padded(clock / 60 % 60, 2)):\(Self.padded(clock % 60, 2))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension Timestamp: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        let text = try reader.string()
        guard let moment = Timestamp(text) else { throw reader.failure("wanted a time as RFC 3339 has it, found \"\(text)\"") }
        self = moment
    }
    package func write(to writer: inout JSONWriter) { writer.string(description) }
}

/// A moment that is always written with six digits of fraction.
package struct MicroTime: Hashable, Sendable, JSONCodable {
    package var moment: Timestamp
    package init(_ moment: Timestamp) { self.moment = moment }
    package init(from reader: inout JSONReader) throws(JSONError) { moment = try Timestamp(from: &reader) }
    package func write(to writer: inout JSONWriter) { writer.string(moment.microText) }
}

extension Int64 {
    fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
