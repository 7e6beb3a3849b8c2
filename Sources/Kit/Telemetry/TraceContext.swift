// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Where a request stands in a distributed trace: the W3C `traceparent` header.
package struct TraceContext: Equatable, Sendable, CustomStringConvertible {
    /// 32 lower-case hexadecimal digits, not all zero.
    package private(set) var traceID: String
    /// 16 lower-case hexadecimal digits, not all zero: the caller's span, then ours.
    package private(set) var parentID: String
    /// The lowest bit says that the caller keeps its span.
    package private(set) var flags: UInt8

    /// Reads a header; nil for one that the standard says to ignore. Versions to come are read as far as version 00 goes.
    package init?(header: String) {
        let text = Array(header.utf8)
        guard text.count >= 55, [2, 35, 52].allSatisfy({ text[$0] == UInt8(ascii: "-") }) else { return nil }
        guard let version = Self.byte(text[0..<2]), version != 0xFF else { return nil }
        guard text.count == 55 || (version > 0 && text[55] == UInt8(ascii: "-")) else { return nil }
        guard Self.isID(text[3..<35]), Self.isID(text[36..<52]), let flags = Self.byte(text[53..<55]) else { return nil }
        traceID = String(decoding: text[3..<35], as: UTF8.self)
        parentID = String(decoding: text[36..<52], as: UTF8.self)
        self.flags = flags
    }

    /// A new trace, which nobody has decided to keep.
    package init(using random: inout some RandomNumberGenerator) {
        self.init(random: (random.next(), random.next()), span: random.next())
    }

    /// A new trace of random bits, which nobody has decided to keep.
    package init(random: (UInt64, UInt64), span: UInt64) {
        traceID = HexDigits.text(random.0, random.1)
        parentID = HexDigits.text(span)
        flags = 0
    }

    /// The same trace with a span of its own: what goes to the next server.
    package func child(using random: inout some RandomNumberGenerator) -> TraceContext { child(span: random.next()) }

    /// The same trace with a span of random bits.
    package func child(span: UInt64) -> TraceContext {
        var child = self
        child.parentID = HexDigits.text(span)
        // Of the flags, version 00 knows this one only; others must not be passed on.
        child.flags = flags & 1
        return child
    }

    package var isSampled: Bool { flags & 1 == 1 }

    /// The header to send, always version 00. Cost: one allocation.
    package var description: String {
        String(unsafeUninitializedCapacity: 55) { text in
            let dash = UInt8(ascii: "-")
            text[0] = UInt8(ascii: "0")
            text[1] = UInt8(ascii: "0")
            text[2] = dash
            var place = 3
            for id in [traceID.utf8, parentID.utf8] {
                for byte in id {
                    text[place] = byte
                    place += 1
                }
                text[place] = dash
                place += 1
            }
            text[53] = HexDigits.digit(flags >> 4)
            text[54] = HexDigits.digit(flags & 15)
            return 55
        }
    }

    private static func isID(_ text: ArraySlice<UInt8>) -> Bool {
        text.allSatisfy { digit($0) != nil } && text.contains { $0 != UInt8(ascii: "0") }
    }

    private static func byte(_ text: ArraySlice<UInt8>) -> UInt8? {
        let digits = text.compactMap(digit)
        return digits.count == 2 ? digits[0] << 4 | digits[1] : nil
    }

    /// Lower case only, as the standard asks.
    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

/// The value of `x-request-id`: what ties the log lines of one request together.
package struct RequestID: Equatable, Sendable, CustomStringConvertible {
    package let text: String

    /// Takes a caller's id if it is 1 to 128 of letters, digits and `-_.:/+=@`, so that it is safe in any log or header.
    package init?(header: String) {
        let isSafe = header.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "-_.:/+=@".utf8.contains(byte)
            }
        }
        guard isSafe, 1...128 ~= header.utf8.count else { return nil }
        text = header
    }

    /// A new id: a random UUID, version 4. Cost: one allocation.
    package init(using random: inout some RandomNumberGenerator) { self.init(random: (random.next(), random.next())) }

    /// A new id of random bits.
    package init(random: (UInt64, UInt64)) {
        let high = random.0 & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = random.1 & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        text = String(unsafeUninitializedCapacity: 36) { text in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
                HexDigits.write(high, to: digits)
                HexDigits.write(low, to: UnsafeMutableBufferPointer(rebasing: digits[16...]))
                var place = 0
                for (index, digit) in digits.enumerated() {
                    if index == 8 || index == 12 || index == 16 || index == 20 {
                        text[place] = UInt8(ascii: "-")
                        place += 1
                    }
                    text[place] = digit
                    place += 1
                }
                return place
            }
        }
    }

    package var description: String { text }
}

private enum HexDigits {
    /// Writes 16 lower-case digits.
    static func write(_ word: UInt64, to digits: UnsafeMutableBufferPointer<UInt8>) {
        var rest = word
        for place in stride(from: 15, through: 0, by: -1) {
            digits[place] = digit(UInt8(truncatingIfNeeded: rest & 15))
            rest >>= 4
        }
    }

    static func digit(_ number: UInt8) -> UInt8 { number < 10 ? number + UInt8(ascii: "0") : number - 10 + UInt8(ascii: "a") }

    /// 16 digits for each word. An id must not be all zero, so no word is.
    static func text(_ words: UInt64...) -> String {
        String(unsafeUninitializedCapacity: 16 * words.count) { digits in
            for (place, word) in words.enumerated() {
                write(max(1, word), to: UnsafeMutableBufferPointer(rebasing: digits[(16 * place)...]))
            }
            return 16 * words.count
        }
    }
}
