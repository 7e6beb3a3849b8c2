// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Testing
import Yaml

struct YamlParserTests {
    @Test func `a manifest becomes one value`() throws {
        let text = """
            # a comment
            apiVersion: v1
            kind: Pod
            metadata: {name: web, labels: {app: web}}
            spec:
              containers:
              - name: web
                args: ["-p", '8080', -v]
                ports:
                - containerPort: 8080
            """
        #expect(
            try YamlParser.documents(text) == [
                [
                    "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "web", "labels": ["app": "web"]],
                    "spec": ["containers": [["name": "web", "args": ["-p", "8080", "-v"], "ports": [["containerPort": 8080]]]]],
                ]
            ])
    }

    @Test func `documents come in order and empty ones are left out`() throws {
        #expect(try YamlParser.documents("---\na: 1\n---\n# nothing\n---\n~\n...\n---\n[]\n") == [["a": 1], nil, []])
        #expect(try YamlParser.documents("") == [])
        #expect(try YamlParser.documents("# nothing\n") == [])
    }

    @Test func `JSON is YAML`() throws {
        #expect(
            try YamlParser.documents(#"{"a": [1, 2.5, "x\/y", null, true], "b": {}}"#) == [["a": [1, 2.5, "x/y", nil, true], "b": [:]]])
    }

    @Test func `integer keys are their decimal text`() throws {
        #expect(try YamlParser.documents("8080: http\n0x10: hex\n'1': quoted") == [["8080": "http", "16": "hex", "1": "quoted"]])
    }

    @Test(arguments: ["on: push", "y: 1", "~: x", "1.5: x", "[a]: x", "{a: b}: x", "? {a: b}\n: x"])
    func `a key that is no string is refused`(text: String) {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents(text) }
        #expect(error?.kind == .unsupported)
        #expect(error?.line == 1)
    }

    @Test func `a key that stands twice is refused where it stands again`() {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents("a: 1\nb:\n  c: 1\n  c: 2\n") }
        #expect(error == YamlError(.duplicateKey, "the key \"c\" stands twice in one mapping", line: 4, column: 3))
    }

    @Test func `an alias stands for its anchor, the latest of its name`() throws {
        #expect(try YamlParser.documents("a: &x [1]\nb: *x\nc: &x 2\nd: *x") == [["a": [1], "b": [1], "c": 2, "d": 2]])
    }

    @Test(arguments: ["a: *x", "a: &x [*x]", "a: &x 1\n---\nb: *x"])
    func `an alias without a whole anchor before it in its document is refused`(text: String) {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents(text) }
        #expect(error?.kind == .unknownAlias)
    }

    @Test func `in a merge the own keys win, then the earlier source`() throws {
        let text = "a: &a {x: 1, v: 1}\nb: &b {v: 2, z: 2}\nc: {x: 3, <<: [*a, *b], w: 3}\nd: {<<: *a, v: 4}\ne: {'<<': 5}"
        let found = try #require(try YamlParser.documents(text).first)
        #expect(found["c"] == ["x": 3, "v": 1, "z": 2, "w": 3])
        #expect(found["d"] == ["x": 1, "v": 4])
        #expect(found["e"] == ["<<": 5])
    }

    @Test(arguments: ["a: {<<: 5}", "a: {<<: [1]}"]) func `only mappings can be merged`(text: String) {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents(text) }
        #expect(error?.kind == .unsupported)
    }

    @Test(arguments: ["a: [1", "a: b: c", "\tb: 1", "a: 'x", "%TAG\n", "@a", "a: \"\\q\"", "}"])
    func `what is not YAML is refused with its place`(text: String) {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents(text) }
        #expect(error?.kind == .syntax)
        #expect((error?.line ?? 0) >= 1 && (error?.column ?? 0) >= 1)
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents(Array("a: 1\nb: ".utf8) + [0xC3, 0x28]) }
        #expect(error?.kind == .syntax)
        #expect(error?.line == 2)
    }

    @Test func `a small text cannot grow into a large value`() {
        var text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        for level in 1...9 {
            let previous = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(previous)]\n"
        }
        let error = #expect(throws: YamlError.self) { try YamlParser.documents(text) }
        #expect(error?.kind == .tooLarge)
    }

    @Test func `depth is bounded, through keys and aliases too`() throws {
        let limits = YamlParser.Limits(depth: 10)
        #expect(throws: Never.self) {
            try YamlParser.documents(String(repeating: "[", count: 10) + String(repeating: "]", count: 10), limits: limits)
        }
        let chained = "- &a0 [1]\n" + (1...20).map { "- &a\($0) [*a\($0 - 1)]\n" }.joined()
        for text in [
            String(repeating: "[", count: 11) + String(repeating: "]", count: 11), String(repeating: "? ", count: 200) + "x", chained,
        ] {
            let error = #expect(throws: YamlError.self) { try YamlParser.documents(text, limits: limits) }
            #expect(error?.kind == .tooLarge)
        }
    }

    @Test func `a text over the limit is not read`() {
        let error = #expect(throws: YamlError.self) { try YamlParser.documents("abcdef", limits: .init(bytes: 5)) }
        #expect(error?.kind == .tooLarge)
    }
}
