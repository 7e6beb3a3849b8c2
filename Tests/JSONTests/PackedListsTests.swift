// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import JSON
import Testing

private struct Numbers {
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }

    /// Digits of any count, a fraction and an exponent that keeps the number within the doubles.
    mutating func text() -> String {
        let digits = String((0...Int(next() % 24)).map { _ in Character(String(next() % 10)) })
        let whole = "\(1 + next() % 9)\(next() % 2 == 0 ? digits : "")"
        return "\(next() % 2 == 0 ? "-" : "")\(whole).\(digits)e\(Int(next() % 560) - 290)"
    }
}

private func read(_ text: String, _ kind: PackedKind) throws -> PackedLists {
    try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in
        var lists = PackedLists(kind)
        try lists.read(&reader)
        return lists
    }
}

private func value<Value: BitwiseCopyable>(_ text: String, _ kind: PackedKind, as _: Value.Type) throws -> Value {
    try read(text, kind).bytes().withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
}

struct PackedListsTests {
    @Test func `a decimal is the nearest double and the nearest float, as the C library has them`() throws {
        var numbers = Numbers()
        for _ in 0..<20_000 {
            let text = numbers.text()
            #expect(try value(text, .float64, as: Double.self).bitPattern == strtod(text, nil).bitPattern, "\(text)")
            let wide = Double(bitPattern: numbers.next())
            if wide.isFinite { #expect(try value("\(wide)", .float64, as: Double.self).bitPattern == wide.bitPattern) }
            let narrow = Float(bitPattern: UInt32(truncatingIfNeeded: numbers.next()))
            if narrow.isFinite { #expect(try value("\(narrow)", .float32, as: Float.self).bitPattern == narrow.bitPattern) }
        }
    }

    @Test(arguments: [
        "9007199254740993", "9007199254740992.5", "2.2250738585072011e-308", "4.9406564584124654e-324", "2.4703282292062327e-324",
        "1.7976931348623157e308", "0.500000000000000166533453693773481063544750213623046875", "1e23", "8.5e-1",
        "123456789012345678901234567890",
        "7.2057594037927933e16", "0.000000000000000000000000000000000000000000000000001", "18446744073709551616",
        "1.00000005960464477539062500000001",
        "16777217", "16777219.0", "1.17549429e-38", "3.4028235e38", "-0", "0e999999999999999999",
    ])
    func `numbers near a boundary fall on the right side`(text: String) throws {
        #expect(try value(text, .float64, as: Double.self).bitPattern == strtod(text, nil).bitPattern)
        let narrow = strtof(text, nil)
        if narrow.isFinite { #expect(try value(text, .float32, as: Float.self).bitPattern == narrow.bitPattern) }
    }

    @Test func `lists are flattened, and tell what they were`() throws {
        let lists = try read("[[1,2,3],[4,5,6]]", .int16)
        #expect(lists.dims == [2, 3] && lists.count == 6 && !lists.isRagged && lists.problem == nil)
        #expect(lists.bytes() == [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0])
        #expect(try read("[[1],[2,3]]", .int8).isRagged)
        #expect(try read("[1,[2]]", .int8).isRagged)
        #expect(try read("[1,300]", .uint8).problem == "300, beyond 0 to 255")
        #expect(try read("7", .uint64).dims.isEmpty)
    }

    @Test(
        arguments: [
            ("[[1.5,-0.0],[1e+16,\"NaN\"]]", PackedKind.float64, [2, 2]), ("[0.1,16777216.0,\"-Infinity\"]", .float32, [3]),
            ("[-128,127]", .int8, [2]),
            ("[18446744073709551615,0]", .uint64, [2]), ("[\"é\\\"\\n\",\"\"]", .text, [2]), ("[[],[]]", .bool, [2, 0]),
            ("true", .bool, []),
            ("[-9223372036854775808]", .int64, [1]),
        ] as [(String, PackedKind, [Int64])])
    func `packed leaves are written as they were read`(text: String, kind: PackedKind, dims: [Int64]) throws {
        let bytes = try read(text, kind).bytes()
        var writer = JSONWriter()
        try bytes.withUnsafeBytes { leaves in Result { () throws(PackedError) in try writer.lists(leaves, of: kind, dims: dims) } }.get()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }

    @Test func `what cannot be written is refused, or mended where that is wanted`() throws {
        func write(_ bytes: [UInt8], _ kind: PackedKind, _ dims: [Int64], mending: Bool = false) throws -> String {
            var writer = JSONWriter()
            try bytes.withUnsafeBytes { leaves in
                Result { () throws(PackedError) in try writer.lists(leaves, of: kind, dims: dims, mending: mending) }
            }.get()
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        let strange: [UInt8] = [1, 0, 0, 0, 65, 1, 0, 0, 0, 0xff]
        #expect(throws: PackedError.notText(1)) { try write(strange, .text, [2]) }
        #expect(try write(strange, .text, [2], mending: true) == "[\"A\",\"\u{fffd}\"]")
        #expect(throws: PackedError.wrongCount) { try write(strange, .text, [1]) }
        #expect(throws: PackedError.wrongCount) { try write([9, 0, 0, 0], .text, [1]) }
        #expect(throws: PackedError.wrongCount) { try write([1, 2, 3], .int16, [1]) }
        #expect(throws: PackedError.wrongCount) { try write([], .int16, [1 << 40, 1 << 40]) }
    }
}
