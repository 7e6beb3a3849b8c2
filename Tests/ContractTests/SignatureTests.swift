// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import Testing

struct SignatureTests {
    static let manifest = """
        {"name":"predict","inputs":[{"name":"features","dtype":"double","shape":[30],"profile":"numerical"}],\
        "outputs":[{"name":"malignant","dtype":"int64","shape":[]},{"name":"notes","dtype":"string"}]}
        """

    @Test func `a manifest's signature is read and written back the same, scalars and untold shapes apart`() throws {
        let signature = try Signature.decode(json: Self.manifest.utf8)
        #expect(signature.inputs == [Field("features", .double, [30], profile: .numerical)])
        #expect(signature.outputs == [Field("malignant", .int64, .scalar), Field("notes", .string)])
        #expect(String(decoding: signature.json(), as: UTF8.self) == Self.manifest)
    }

    @Test(arguments: [("float16", DataType.half), ("float32", .float), ("float64", .double), ("uint64", .uint64), ("map", .map)])
    func `a type goes by its name and its aliases`(name: String, type: DataType) {
        #expect(DataType(name: name) == type)
    }

    @Test func `numbers and types are one to one`() {
        for type in DataType.allCases { #expect(DataType(number: type.number) == type) }
        for number in [-1, 14, 20, 25, 28, 1_000_000] { #expect(DataType(number: number) == .invalid) }
        for profile in ProfileType.allCases { #expect(ProfileType(number: profile.number) == profile) }
    }

    @Test func `a good signature has no problems`() throws {
        #expect(try Signature.decode(json: Self.manifest.utf8).problems().isEmpty)
    }

    @Test func `every problem of a signature is told at once`() throws {
        let signature = try Signature.decode(
            json: """
                {"name":"2 fast","inputs":[{"name":"x","dtype":"flot"},{"name":"x","dtype":"int8","shape":[-2]},
                {"name":" ","dtype":"map"},{"name":"m","dtype":"map","subfields":[{"name":"a"},{"name":"a","dtype":"bool"}]}]}
                """.utf8)
        let problems = signature.problems().joined(separator: "\n")
        for part in [
            "got \"2 fast\"", "input \"x\" wants a dtype of string, bool", "input \"x\" is declared twice", "extents of -1 or more, got -2",
            "input \" \" wants a name", "input \" \" is a map and wants subfields", "input \"m.a\" wants a dtype",
            "input \"m.a\" is declared twice",
            "at least one output",
        ] { #expect(problems.contains(part), "\(part) in \(problems)") }
        #expect(signature.problems().count == 9)
    }

    @Test func `a sample satisfies its own signature`() {
        var inputs = DataType.known.filter { $0 != .map }.map { Field($0.rawValue, $0, [-1, 2]) }
        inputs.append(Field("map", .map, [3], subfields: [Field("a", .int8, .scalar), Field("b", .string)]))
        let signature = Signature(inputs: inputs, outputs: inputs)
        #expect(signature.violations(ofInputs: signature.sampleInputs()) == [])
    }
}

struct ShapeTests {
    struct Filling: CustomTestStringConvertible {
        var testDescription: String
        var shape: Shape
        var count: Int
        var filled: Shape?
    }

    static let fillings: [Filling] = [
        .init(testDescription: "exact", shape: [2, 3], count: 6, filled: [2, 3]),
        .init(testDescription: "one open", shape: [-1, 3], count: 6, filled: [2, 3]),
        .init(testDescription: "one open, uneven", shape: [-1, 3], count: 7, filled: nil),
        .init(testDescription: "one open, none left", shape: [-1, 3], count: 0, filled: [0, 3]),
        .init(testDescription: "two open", shape: [-1, -1], count: 4, filled: nil),
        .init(testDescription: "open beside zero", shape: [-1, 0], count: 0, filled: nil),
        .init(testDescription: "too large to count", shape: [1 << 40, 1 << 40], count: 0, filled: nil),
    ]

    @Test(arguments: fillings) func `a flat list fills a shape, or does not`(filling: Filling) {
        #expect(filling.shape.filled(by: filling.count) == filling.filled)
    }

    @Test func `open extents accept any extent of the same rank`() {
        #expect(Shape([-1, 3]).accepts([7, 3]))
        #expect(!Shape([-1, 3]).accepts([7, 4]))
        #expect(!Shape([-1]).accepts(.scalar))
        #expect(!Shape([3]).accepts([3, 1]))
    }
}

struct CheckTests {
    let fields = [
        Field("x", .double, [-1, 2]), Field("n", .int8, .scalar), Field("who", .map, subfields: [Field("age", .int64, .scalar)]),
    ]
    var signature: Signature { Signature(inputs: fields, outputs: fields) }
    let good: [String: Tensor] = [
        "x": Tensor(.double, [1, 2], .double([1, 2])), "n": Tensor(.int8, .scalar, .int32([1])),
        "who": Tensor(.map, .scalar, .maps([["age": Tensor(.int64, .scalar, .int64([4]))]])),
    ]

    @Test func `what fits has no violations`() {
        #expect(signature.violations(ofInputs: good) == [])
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var name: String
        var tensor: Tensor?
        var sentence: String
    }

    static let cases: [Case] = [
        .init(testDescription: "missing", name: "n", tensor: nil, sentence: "field \"n\" wants int8 scalar, got nothing"),
        .init(
            testDescription: "other type", name: "n", tensor: Tensor(.int64, .scalar, .int64([1])),
            sentence: "field \"n\" wants int8 scalar, got int64 scalar"),
        .init(
            testDescription: "no shape", name: "n", tensor: Tensor(.int8, nil, .int32([1])),
            sentence: "field \"n\" wants int8 scalar, got int8 without a shape"),
        .init(
            testDescription: "other rank", name: "x", tensor: Tensor(.double, [2], .double([1, 2])),
            sentence: "field \"x\" wants double [-1, 2], got double [2]"),
        .init(
            testDescription: "too few elements", name: "x", tensor: Tensor(.double, [2, 2], .double([1])),
            sentence: "field \"x\" wants double [-1, 2], got double [2, 2] with 1 element"),
        .init(
            testDescription: "negative extent", name: "x", tensor: Tensor(.double, [-1, 2], .double([])),
            sentence: "field \"x\" wants double [-1, 2], got double [-1, 2] with 0 elements"),
        .init(
            testDescription: "inside a map", name: "who", tensor: Tensor(.map, nil, .maps([[:]])),
            sentence: "field \"who.age\" wants int64 scalar, got nothing"),
        .init(
            testDescription: "undeclared", name: "y", tensor: Tensor(.bool, .scalar, .bool([true])),
            sentence: "field \"y\" is not declared; declared are \"x\", \"n\", \"who\""),
    ]

    @Test(arguments: cases) func `each kind of breach has its sentence`(breach: Case) {
        var tensors = good
        tensors[breach.name] = breach.tensor
        #expect(signature.violations(ofInputs: tensors).map(\.description) == [breach.sentence])
    }

    @Test func `an answer may have more than was declared, but not less`() {
        var tensors = good
        tensors["extra"] = Tensor(.bool, .scalar, .bool([true]))
        #expect(signature.violations(ofOutputs: tensors) == [])
        tensors["n"] = nil
        #expect(signature.violations(ofOutputs: tensors).map(\.kind) == [.missing])
    }
}
