// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import Testing

struct TensorJSONTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var field: Field
        var json: String
        var tensor: Tensor
        /// How it comes out again, where that is not how it went in.
        var back: String?
    }

    static let cases: [Case] = [
        .init(
            testDescription: "a scalar", field: Field("f", .double, .scalar), json: "1.5", tensor: Tensor(.double, .scalar, .double([1.5]))),
        .init(
            testDescription: "a vector", field: Field("f", .int64, [2]), json: "[1,-9223372036854775808]",
            tensor: Tensor(.int64, [2], .int64([1, .min]))),
        .init(
            testDescription: "nested lists", field: Field("f", .float, [-1, 2]), json: "[[1.5,2.5],[3.5,0.1]]",
            tensor: Tensor(.float, [2, 2], .float([1.5, 2.5, 3.5, 0.1]))),
        .init(
            testDescription: "a flat list for two dimensions", field: Field("f", .int8, [-1, 2]), json: "[1,2,3,4]",
            tensor: Tensor(.int8, [2, 2], .int32([1, 2, 3, 4])), back: "[[1,2],[3,4]]"),
        .init(
            testDescription: "no shape declared", field: Field("f", .bool), json: "[[true],[false]]",
            tensor: Tensor(.bool, [2, 1], .bool([true, false]))),
        .init(testDescription: "an empty list", field: Field("f", .string, [-1]), json: "[]", tensor: Tensor(.string, [0], .bytes([]))),
        .init(
            testDescription: "the largest 64-bit number", field: Field("f", .uint64, .scalar), json: "18446744073709551615",
            tensor: Tensor(.uint64, .scalar, .uint64([.max]))),
        .init(
            testDescription: "a whole double for an integer", field: Field("f", .uint8, .scalar), json: "255.0",
            tensor: Tensor(.uint8, .scalar, .int32([255])), back: "255"),
        .init(
            testDescription: "an integer for a double", field: Field("f", .double, .scalar), json: "3",
            tensor: Tensor(.double, .scalar, .double([3])), back: "3.0"),
        .init(
            testDescription: "half precision", field: Field("f", .half, .scalar), json: "1.5",
            tensor: Tensor(.half, .scalar, .half([0x3e00]))),
        .init(
            testDescription: "infinities", field: Field("f", .double, [2]), json: "[\"Infinity\",\"-Infinity\"]",
            tensor: Tensor(.double, [2], .double([.infinity, -.infinity]))),
        .init(
            testDescription: "a complex scalar", field: Field("f", .complex64, .scalar), json: "[1.0,2.0]",
            tensor: Tensor(.complex64, .scalar, .float([1, 2]))),
        .init(
            testDescription: "a complex vector", field: Field("f", .complex128, [2]), json: "[1.0,2.0,3.0,4.0]",
            tensor: Tensor(.complex128, [2], .double([1, 2, 3, 4]))),
        .init(
            testDescription: "text", field: Field("f", .string, .scalar), json: "\"h\\u00e9\\n\"", tensor: .strings(["hé\n"], .scalar),
            back: "\"hé\\n\""),
        .init(
            testDescription: "a map", field: Field("f", .map, subfields: [Field("a", .int32, [1])]), json: "{\"a\":[7]}",
            tensor: Tensor(.map, .scalar, .maps([["a": Tensor(.int32, [1], .int32([7]))]]))),
        .init(
            testDescription: "a list of maps", field: Field("f", .map, [2], subfields: [Field("a", .bool, .scalar)]),
            json: "[{\"a\":true},{\"a\":false}]",
            tensor: Tensor(
                .map, [2], .maps([["a": Tensor(.bool, .scalar, .bool([true]))], ["a": Tensor(.bool, .scalar, .bool([false]))]]))),
    ]

    @Test(arguments: cases) func `a value goes in and comes out`(value: Case) throws {
        let tensors = try TensorJSON.read(Array("{\"f\": \(value.json)}".utf8), as: [value.field])
        #expect(tensors == ["f": value.tensor])
        let back = TensorJSON.write(tensors, as: [value.field])
        #expect(String(decoding: back, as: UTF8.self) == "{\"f\":\(value.back ?? value.json)}")
    }

    struct Breach: CustomTestStringConvertible {
        var testDescription: String
        var field: Field
        var json: String
        var found: String
    }

    static let breaches: [Breach] = [
        .init(testDescription: "text for a number", field: Field("f", .double, [1]), json: "\"1\"", found: "a string"),
        .init(testDescription: "text inside a list", field: Field("f", .double, [2]), json: "[1,\"x\"]", found: "a string"),
        .init(testDescription: "null", field: Field("f", .int64, .scalar), json: "null", found: "null"),
        .init(testDescription: "a scalar for a vector", field: Field("f", .double, [1]), json: "1", found: "a single value"),
        .init(testDescription: "a vector for a scalar", field: Field("f", .double, .scalar), json: "[1]", found: "lists of shape [1]"),
        .init(testDescription: "too few", field: Field("f", .double, [3]), json: "[1,2]", found: "lists of shape [2]"),
        .init(testDescription: "one level too deep", field: Field("f", .double, [2]), json: "[[1,2]]", found: "lists of shape [1, 2]"),
        .init(
            testDescription: "ragged", field: Field("f", .double, [-1, -1]), json: "[[1,2],[3]]", found: "lists of unequal length or depth"),
        .init(
            testDescription: "lists beside values", field: Field("f", .double), json: "[1,[2]]", found: "lists of unequal length or depth"),
        .init(
            testDescription: "values beside lists", field: Field("f", .double), json: "[[2],1]", found: "lists of unequal length or depth"),
        .init(
            testDescription: "a value beside an empty list", field: Field("f", .double), json: "[[],1]",
            found: "lists of unequal length or depth"),
        .init(testDescription: "a fraction", field: Field("f", .int64, .scalar), json: "1.5", found: "1.5"),
        .init(testDescription: "beyond int8", field: Field("f", .int8, .scalar), json: "128", found: "128, beyond -128 to 127"),
        .init(testDescription: "beyond uint32", field: Field("f", .uint32, .scalar), json: "-1", found: "-1, beyond 0 to 4294967295"),
        .init(testDescription: "beyond uint64", field: Field("f", .uint64, .scalar), json: "-1", found: "-1"),
        .init(
            testDescription: "beyond float", field: Field("f", .float, .scalar), json: "1e300", found: "1e+300, beyond what a float holds"),
        .init(
            testDescription: "half a complex number", field: Field("f", .complex64, [1]), json: "[1]",
            found: "an odd count of real and imaginary parts"),
        .init(testDescription: "an untyped field", field: Field("f", .any), json: "1", found: "JSON, which does not tell a type"),
        .init(testDescription: "a list for a map", field: Field("f", .map, subfields: [Field("a", .bool)]), json: "3", found: "a number"),
    ]

    @Test(arguments: breaches) func `a value that does not fit is named`(breach: Breach) {
        #expect(throws: TensorJSONError.violations([ContractViolation(field: "f", wanted: breach.field.wanted, found: breach.found)])) {
            try TensorJSON.read(Array("{\"f\": \(breach.json)}".utf8), as: [breach.field])
        }
    }

    @Test func `NaN goes in and comes out as a string`() throws {
        let field = Field("f", .float, .scalar)
        let tensors = try TensorJSON.read(Array("{\"f\":\"NaN\"}".utf8), as: [field])
        #expect(TensorJSON.write(tensors, as: [field]) == Array("{\"f\":\"NaN\"}".utf8))
    }

    @Test func `all violations come at once, whatever the order of the members`() throws {
        let fields = [
            Field("a", .double, [2]), Field("b", .string, .scalar), Field("c", .bool, .scalar),
            Field("m", .map, subfields: [Field("x", .int8, .scalar)]),
        ]
        let error = #expect(throws: TensorJSONError.self) {
            try TensorJSON.read(Array(#"{"m":{"x":300,"y":1},"zz":[{"deep":[1]}],"c":1,"a":[1],"c":true}"#.utf8), as: fields)
        }
        guard case .violations(let violations) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(
            violations.map(\.description) == [
                "field \"m.x\" wants int8 scalar, got 300, beyond -128 to 127",
                "field \"m.y\" is not declared; declared are \"x\"",
                "field \"zz\" is not declared; declared are \"a\", \"b\", \"c\", \"m\"",
                "field \"c\" wants bool scalar, got a number",
                "field \"a\" wants double [2], got lists of shape [1]",
                "field \"c\" wants one value, got a second one",
                "field \"b\" wants string scalar, got nothing",
            ])
    }

    @Test func `undeclared members may be let pass`() throws {
        let tensors = try TensorJSON.read(Array(#"{"x":1,"y":2}"#.utf8), as: [Field("x", .int8, .scalar)], undeclared: .ignored)
        #expect(tensors == ["x": Tensor(.int8, .scalar, .int32([1]))])
    }

    @Test(arguments: ["", "[1]", "{\"f\":1", "{\"f\":NaN}", "{\"f\":1}x", "{\"f\":[1,]}"])
    func `text that is no JSON object is malformed, not a violation`(text: String) {
        let error = #expect(throws: TensorJSONError.self) { try TensorJSON.read(Array(text.utf8), as: [Field("f", .double)]) }
        guard case .malformed = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    @Test func `a flood of strangers is told in part`() throws {
        let members = (0..<5000).map { "\"k\($0)\":0" }.joined(separator: ",")
        let error = #expect(throws: TensorJSONError.self) { try TensorJSON.read(Array("{\(members)}".utf8), as: [Field("f", .double)]) }
        guard case .violations(let violations) = error else { return #expect(Bool(false)) }
        #expect(violations.count <= 101)
        #expect(ContractViolation.summary(of: violations).hasSuffix("and 81 more"))
    }

    @Test func `a value given over and over is told in part`() {
        let members = Array(repeating: "\"f\":1", count: 5000).joined(separator: ",")
        let error = #expect(throws: TensorJSONError.self) { try TensorJSON.read(Array("{\(members)}".utf8), as: [Field("f", .double)]) }
        guard case .violations(let violations) = error else { return #expect(Bool(false)) }
        #expect(violations.count == 100)
    }

    @Test func `nothing in a billion lists is written as nothing`() {
        let empty = Tensor(.double, [1_000_000_000, 0], .double([]))
        #expect(TensorJSON.write(["f": empty], as: [Field("f", .double)]) == Array("{\"f\":[]}".utf8))
    }

    @Test func `a tensor whose elements do not fill its shape is written flat`() {
        let odd = Tensor(.double, [2, 2], .double([1, 2, 3]))
        #expect(TensorJSON.write(["f": odd], as: [Field("f", .double)]) == Array("{\"f\":[1.0,2.0,3.0]}".utf8))
    }
}
