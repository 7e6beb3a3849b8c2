// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Testing

struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799_000_000), ("2026-11-22T10:00:00Z", 1_795_341_600_000_000),
        ("1969-12-31T23:59:59Z", -1_000_000), ("2026-11-22T10:00:00.5Z", 1_795_341_600_500_000),
    ])
    func `a time reads as microseconds and is written as it was`(text: String, microseconds: Int64) {
        #expect(Timestamp(text)?.microseconds == microseconds)
        if !text.contains(".") { #expect(Timestamp(microseconds: microseconds).description == text) }
    }

    @Test func `an offset is taken off`() {
        #expect(Timestamp("2026-11-22T12:30:00+02:30") == Timestamp("2026-11-22T10:00:00Z"))
    }

    @Test func `a lease's time has six digits`() {
        #expect(Timestamp(microseconds: 1_795_341_600_000_050).microText == "2026-11-22T10:00:00.000050Z")
    }

    @Test(arguments: 0..<400)
    func `every day of every kind of year comes back`(step: Int) {
        let moment = Timestamp(seconds: Int64(step) * 86_400 * 37 + 12_345)
        #expect(Timestamp(moment.description) == moment)
    }

    @Test(arguments: ["", "2026-11-22", "2026-13-01T00:00:00Z", "2026-11-22T10:00:00", "2026-11-22T10:00:00.Z", "2026-11-22T10:00:00+0200"])
    func `what is no time is refused`(text: String) { #expect(Timestamp(text) == nil) }
}

struct Base64Tests {
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func `text and base 64 are each other's`(plain: String, encoded: String) {
        #expect(Base64(Array(plain.utf8)).text == encoded)
        #expect(Base64(text: encoded)?.bytes == Array(plain.utf8))
    }

    @Test func `every byte comes back`() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64(text: Base64(bytes).text)?.bytes == bytes)
    }

    @Test(arguments: ["Zg=a", "Z", "Zg*=", "====", "Zh=="]) func `what is no base 64 is refused`(text: String) {
        #expect(Base64(text: text) == nil)
    }
}
