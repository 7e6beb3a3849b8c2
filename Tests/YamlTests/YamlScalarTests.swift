// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Testing

@testable import Yaml

struct YamlScalarTests {
    struct Case: CustomTestStringConvertible {
        var text: String
        var value: JSONValue
        var testDescription: String { "\(text) → \(value)" }
        init(_ text: String, _ value: JSONValue) { (self.text, self.value) = (text, value) }
    }

    static let cases: [Case] = [
        Case("true", true), Case("True", true), Case("yes", true), Case("on", true), Case("y", true),
        Case("false", false), Case("No", false), Case("OFF", false), Case("N", false),
        Case("tRue", "tRue"), Case("yess", "yess"),
        Case("~", nil), Case("null", nil), Case("NULL", nil), Case("nil", "nil"),
        Case("0", 0), Case("-0", 0), Case("12", 12), Case("+12", 12), Case("-12", -12), Case("1_000", 1000),
        Case("0644", 420), Case("0o644", 420), Case("0x1F", 31), Case("-0x1f", -31), Case("0b101", 5),
        Case("08", 8.0), Case("0x", "0x"), Case("0xg", "0xg"), Case("+", "+"), Case("--1", "--1"), Case("0x-1", "0x-1"),
        Case("9223372036854775807", 9_223_372_036_854_775_807), Case("9223372036854775808", 9223372036854775808.0),
        Case("1.5", 1.5), Case("-1.5e3", -1500.0), Case("1e3", 1000.0), Case(".5", 0.5), Case("1.", 1.0), Case("+.5", 0.5),
        Case(".", "."), Case("..", ".."), Case("1.2.3", "1.2.3"), Case("1e", "1e"), Case("1e400", "1e400"), Case("0x1p3", "0x1p3"),
        Case("inf", "inf"), Case("nan", "nan"), Case("infinity", "infinity"),
        Case("2001-12-14", "2001-12-14"), Case("12:30:45", "12:30:45"), Case("500m", "500m"), Case("1Gi", "1Gi"),
        Case("'12'", "12"), Case("\"true\"", "true"), Case("''", ""), Case("\"\\u00e9\\n\"", "é\n"),
        Case("!!str 12", "12"), Case("!!int \"12\"", 12), Case("!!float 3", 3.0), Case("!!bool \"yes\"", true),
        Case("!!null \"\"", nil), Case("! 12", "12"), Case("!!timestamp 2001-12-14", "2001-12-14"),
        Case("|\n  a\n  b\n", "a\nb\n"), Case(">-\n  a\n  b\n", "a b"),
    ]

    @Test(arguments: cases) func `a scalar means what kubectl takes it for`(_ it: Case) throws {
        #expect(try YamlParser.documents("v: " + it.text) == [["v": it.value]])
    }

    @Test(arguments: [".nan", "-.inf", "!!int 1.5", "!!bool 3", "!mine x", "!!binary aGk="])
    func `what has no JSON value is refused`(text: String) {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents("a: 1\nv: " + text) }
        #expect(error?.kind == .unsupported)
        #expect(error?.line == 2)
        #expect(error?.column == 4)
    }
}
