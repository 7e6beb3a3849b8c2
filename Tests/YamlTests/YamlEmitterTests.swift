// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Testing
import Yaml

struct YamlEmitterTests {
    @Test func `a manifest reads like one written by hand`() {
        let value: JSONValue = [
            "kind": "Model", "apiVersion": "hydrosphere.io/v1alpha1", "metadata": ["name": "iris", "labels": [:]],
            "spec": [
                "image": "registry:5000/a/b:1@sha256:abc", "ready": true, "port": 8080, "ratio": 0.5, "none": nil,
                "args": ["-p", "80", ["a", "b"], ["k": "v", "l": []]], "script": "a\n  b\n\nc\n",
            ],
        ]
        #expect(
            YamlEmitter.text(value) == """
                apiVersion: hydrosphere.io/v1alpha1
                kind: Model
                metadata:
                  labels: {}
                  name: iris
                spec:
                  args:
                  - "-p"
                  - "80"
                  - - a
                    - b
                  - k: v
                    l: []
                  image: registry:5000/a/b:1@sha256:abc
                  none: null
                  port: 8080
                  ratio: 0.5
                  ready: true
                  script: |
                    a
                      b

                    c

                """)
    }

    static let strings = [
        "", " ", "a", " a", "a ", "a b", "true", "no", "y", "null", "~", "12", "0644", "1.5", "1e5", "1_0", ".inf", ".nan", "<<", "=",
        "2001-12-14", "2001-12-14T10:00:00Z", "12:30", "12:30:45", "a: b", "a:", "a:b", ":a", "a #b", "#a", "- a", "-", "?", "? a", "&a",
        "*a", "!a", "%a", "@a",
        "`a", "[a", "{a", "a]", "a,b", "'a'", "\"a\"", "a\\b", "é", "日本", "😀", "\u{0}", "\u{1}", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}",
        "\u{1F600}x",
        "\n", "\n\n", "a\n", "a\n\n", "a\n\n\n", "a\nb", "\na", " a\nb", "a\n b", "a\n  ", "a\n  \n", "a\n\t\n", "\ta\nb", "a\r\nb",
        "a\n#b\n", "a\n---\nb\n", "a\n...\n", "a\u{0}\nb",
        "---", "...", "--- a", "|", ">", "https://a.b/c?d=e&f=g#h", "a@sha256:00", "/path", "$(x)",
        String(repeating: "long ", count: 300) + "x",
        String(repeating: "k", count: 1500), String(repeating: "é", count: 1100),
    ]

    @Test(arguments: strings) func `every string comes back, as value, item, member and key`(text: String) throws {
        let value = JSONValue.string(text)
        let shapes: [JSONValue] = [
            value, [value], [[value]], ["k": value], ["k": [value, ["l": value]]], [["k": value, "m": value]], .object([text: 1]),
            .object([text: [value], "z": .object([text: ["a": value]])]),
        ]
        for shape in shapes {
            #expect(try YamlParser.documents(YamlEmitter.text(shape)) == [shape])
        }
    }

    @Test func `a stream of documents comes back`() throws {
        let documents: [JSONValue] = [["a": "x\n\n"], "text", [], nil, [1, -1, 1.5, 1e300, .int(.min), .int(.max)]]
        #expect(try YamlParser.documents(YamlEmitter.text(documents: documents)) == documents)
    }

    @Test func `arbitrary values come back`() throws {
        var random = Linear(state: 7)
        for _ in 0..<300 {
            let value = Self.value(from: &random, depth: 4)
            #expect(try YamlParser.documents(YamlEmitter.text(value)) == [value])
        }
    }

    /// A small generator, so that a failure repeats.
    struct Linear: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    static func value(from random: inout Linear, depth: Int) -> JSONValue {
        let alphabet = Array("ab01 :-#\n\t'\"\\[]{}&*!|>%@`,?.~é")
        func text() -> String {
            String((0..<Int.random(in: 0...6, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "x" })
        }
        switch Int.random(in: 0...(depth == 0 ? 4 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int64.random(in: -1000...1000, using: &random))
        case 3, 4: return .string(text())
        case 5: return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in value(from: &random, depth: depth - 1) })
        default:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0...3, using: &random) { members[text()] = value(from: &random, depth: depth - 1) }
            return .object(members)
        }
    }
}
