// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Testing

struct JSONReaderTests {
    @Test(arguments: [
        ("0", JSONValue.int(0)), ("-0", .double(-0.0)), ("12", .int(12)), ("-9223372036854775808", .int(.min)),
        ("9223372036854775807", .int(.max)), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
        ("1.5e3", .double(1500)), ("1E-2", .double(0.01)), (#""a\nb\u00e9\ud83d\ude00""#, .string("a\nbé😀")),
        ("[1, [], {}]", .array([.int(1), .array([]), .object([:])])), (#" {"a":{"b":null}} "#, .object(["a": .object(["b": .null])])),
    ])
    func `a document reads as its value`(text: String, wanted: JSONValue) throws {
        #expect(try JSONValue.decode(json: Array(text.utf8)) == wanted)
    }

    @Test(arguments: [
        "", "nul", "01", "1.", "1e", "-", "\"a", "\"\\x\"", "\"\\ud800\"", "\"\u{1}\"", "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "1 2", "1e999",
        "tru",
        String(repeating: "[", count: 300),
    ])
    func `what is not JSON is refused with its place`(text: String) {
        #expect(throws: JSONError.self) { try JSONValue.decode(json: Array(text.utf8)) }
    }

    @Test(arguments: [
        "0.1", "-0.0", "0.30000000000000004", "9007199254740991.5", "9007199254740993.0", "123456789.123456789", "1.7976931348623157e308",
        "0.0000000000000000000001", "0.00000000000000000000001", "4503599627370497.5", "2.2250738585072014e-308", "1e23", "8.41e21",
    ]) func `decimals are read to the nearest double`(text: String) throws {
        let read = try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in try reader.double() }
        #expect(read.bitPattern == Double(text)?.bitPattern)
    }

    @Test func `short decimals of all lengths are read to the nearest double`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let digits = String(UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random))
            let text = "\(Int.random(in: -9999...9999, using: &random)).\(digits)"
            let read = try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in try reader.double() }
            #expect(read.bitPattern == Double(text)?.bitPattern, "\(text)")
        }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONError.self) { try JSONValue.decode(json: [0x22, 0xff, 0x22]) }
    }

    @Test func `what is written reads back as the same value`() throws {
        let value: JSONValue = ["text": "quote \" slash \\ tab \t bell \u{7} é", "list": [1, 2.5, true, nil], "deep": ["a": ["b": [:]]]]
        #expect(try JSONValue.decode(json: value.json()) == value)
    }

    @Test func `equal objects are written as equal bytes`() {
        #expect(String(decoding: (["b": 1, "a": 2] as JSONValue).json(), as: UTF8.self) == #"{"a":2,"b":1}"#)
    }
}

private struct Leaf: JSONRecord {
    var name = ""
    var size: Int?
    static let fields: JSONFields<Leaf> = [.required("name", \.name), .init("size", \.size)]
}

private struct Tree: JSONRecord {
    var leaves: [Leaf] = []
    var notes: [String: String] = [:]
    var height = 3
    static let fields: JSONFields<Tree> = [.init("leaves", \.leaves), .init("notes", \.notes), .init("height", \.height)]
}

struct JSONRecordTests {
    @Test func `unknown members are skipped and absent ones keep their defaults`() throws {
        let tree = try Tree.decode(json: Array(#"{"x":[{"y":1}],"leaves":[{"name":"a","size":null,"z":{}}],"notes":null}"#.utf8))
        #expect(tree == Tree(leaves: [Leaf(name: "a")], notes: [:], height: 3))
    }

    @Test func `an error tells its path, what was wanted and what was found`() {
        let error = #expect(throws: JSONError.self) { try Tree.decode(json: Array(#"{"leaves":[{"name":"a"},{"name":7}]}"#.utf8)) }
        #expect(error?.path == "leaves[1].name")
        #expect(error?.message == "wanted a string, found a number")
    }

    @Test func `a missing required member is named`() {
        let error = #expect(throws: JSONError.self) { try Tree.decode(json: Array(#"{"leaves":[{}]}"#.utf8)) }
        #expect(error?.message == "wanted a member \"name\", found none")
    }

    @Test func `nil and empty members are left out`() {
        let tree = Tree(leaves: [Leaf(name: "a", size: 2), Leaf(name: "b")])
        #expect(String(decoding: tree.json(), as: UTF8.self) == #"{"leaves":[{"name":"a","size":2},{"name":"b"}],"height":3}"#)
    }

    @Test func `a key with escapes is the same key`() throws {
        #expect(try Leaf.decode(json: Array(#"{"na\u006de":"a"}"#.utf8)) == Leaf(name: "a"))
    }
}
