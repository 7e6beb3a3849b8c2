// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import OpenInference
import Protos
import Testing

private func call(_ json: String, binary: [UInt8] = [], jsonLength: Int? = nil, _ fields: [Field] = []) throws -> InferCall {
    let text = Array(json.utf8)
    return try InferCall(body: (text + binary)[...], jsonLength: jsonLength ?? (binary.isEmpty ? nil : text.count), inputs: fields)
}

private func tensor(_ datatype: String, _ shape: String, _ data: String) throws -> Tensor? {
    try call(#"{"inputs":[{"name":"x","datatype":"\#(datatype)","shape":\#(shape),"data":\#(data)}]}"#).request.inputs.tensors()["x"]
}

/// What is wrong with one tensor.
private func problem(_ datatype: String, _ shape: String, _ data: String) -> String {
    do {
        _ = try tensor(datatype, shape, data)
        return "nothing"
    } catch { return "\(error)" }
}

struct InferCallTests {
    @Test func `a request is read with its id, its parameters and the outputs that it wants`() throws {
        let read = try call(
            #"""
            {"id":"7","future":{"a":[1]},"parameters":{"a":1,"b":"x","c":true,"d":0.5,"e":18446744073709551615,"binary_data_output":true},
             "inputs":[{"name":"x","shape":[2],"datatype":"FP32","parameters":{"k":-1},"data":[1,2]}],
             "outputs":[{"name":"y","parameters":{"binary_data":false,"top":3}},{"parameters":{"binary_data":true},"name":"z"}]}
            """#)
        let request = read.request
        #expect(request.id == "7" && read.isBinary && read.binary == ["y": false, "z": true])
        let wanted: [(String, InferParameters.Value)] = [
            ("a", .int(1)), ("b", .string("x")), ("c", .bool(true)), ("d", .double(0.5)), ("e", .uint(.max)),
        ]
        #expect(request.parameters.values.count == 5)
        for (name, value) in wanted { #expect(request.parameters[name] == value) }
        #expect(request.inputs["x"]?.parameters["k"] == .int(-1))
        #expect(request.outputs.map(\.name) == ["y", "z"])
        #expect(request.outputs[0].parameters["top"] == .int(3) && request.outputs[0].parameters["binary_data"] == nil)
        let fields = [Field("y", .float), Field("z", .float)]
        #expect(read.strangeOutput(among: fields) == nil)
        #expect(read.strangeOutput(among: [fields[0]])?.description.contains("tensor \"z\"") == true)
    }

    @Test func `data are flat or nested, and may stand before their type`() throws {
        let wanted = Tensor(.int64, [2, 2], .int64([1, 2, 3, 4]))
        #expect(try tensor("INT64", "[2,2]", "[1,2,3,4]") == wanted)
        #expect(try tensor("INT64", "[2,2]", "[[1,2],[3,4]]") == wanted)
        #expect(try tensor("INT64", "[]", "5") == Tensor(.int64, .scalar, .int64([5])))
        #expect(try tensor("INT64", "[]", "[5]") == Tensor(.int64, .scalar, .int64([5])))
        #expect(try tensor("FP32", "[2,0]", "[[],[]]") == Tensor(.float, [2, 0], .float([])))
        let early = try call(#"{"inputs":[{"data":[[1.0,2],[3,4e0]],"name":"x","shape":[2,2],"datatype":"INT64"}]}"#)
        #expect(try early.request.inputs.tensors()["x"] == wanted)
    }

    @Test func `values are exact to the edges of their types`() throws {
        #expect(try tensor("UINT64", "[2]", "[18446744073709551615,0]") == Tensor(.uint64, [2], .uint64([.max, 0])))
        #expect(
            try tensor("INT64", "[2]", "[-9223372036854775808,9007199254740993.0]")
                == Tensor(.int64, [2], .int64([.min, 9_007_199_254_740_993])))
        #expect(try tensor("INT8", "[2]", "[-128,127]") == Tensor(.int8, [2], .int32([-128, 127])))
        #expect(try tensor("FP16", "[3]", #"[65504,"-Infinity",0.1]"#) == Tensor(.half, [3], .half([0x7bff, 0xfc00, 0x2e66])))
        #expect(try tensor("BOOL", "[2]", "[true,false]") == Tensor(.bool, [2], .bool([true, false])))
        #expect(try tensor("BYTES", "[2]", #"["é\n",""]"#) == .strings(["é\n", ""], [2]))
        let special = try #require(try tensor("FP64", "[3]", #"["NaN",-0.0,5e-324]"#))
        guard case .double(let values) = special.elements else { return #expect(Bool(false)) }
        #expect(values[0].isNaN && values[1].sign == .minus && values[2] == .leastNonzeroMagnitude)
    }

    @Test(arguments: [
        ("BF16", "[1]", "[1]", "found BF16"), ("FLOAT", "[1]", "[1]", "found \"FLOAT\""),
        ("INT8", "[1]", "[128]", "found 128, beyond -128 to 127"),
        ("UINT64", "[1]", "[-1]", "found -1"), ("INT32", "[1]", "[1.5]", "found 1.5"),
        ("FP32", "[1]", "[1e39]", "beyond what a float holds"),
        ("FP16", "[1]", "[65520]", "beyond what a half holds"), ("FP32", "[1]", "[true]", "found a boolean"),
        ("FP32", "[1]", #"["nan"]"#, "found a string"),
        ("FP32", "[3]", "[1,2]", "wanted 3 elements for shape [3], found 2"), ("FP32", "[2,2]", "[[1,2]]", "found lists of shape [1, 2]"),
        ("FP32", "[2]", "[1,[2]]", "lists of equal length and depth"), ("FP32", "[1]", "1", "found a single value"),
        ("FP32", "[-1]", "[1]", "found -1"),
        ("FP32", "[4611686018427387904,4]", "[1]", "below 2^63"), ("BYTES", "[1]", "[1]", "found a number"),
        ("BOOL", "[1]", "[1]", "found a number"),
        ("FP32", #"["1"]"#, "[1]", "found a string"), ("FP32", "[1]", "[null]", "found null"), ("FP32", "[1]", "[{}]", "found an object"),
    ])
    func `a wrong tensor is told by its name`(datatype: String, shape: String, data: String, wanted: String) {
        let found = problem(datatype, shape, data)
        #expect(found.hasPrefix("tensor \"x\": ") && found.contains(wanted), "\(found)")
    }

    @Test func `every wrong tensor is told at once`() {
        do {
            _ = try call(
                #"{"inputs":[{"name":"a","shape":[1],"datatype":"FP32","data":["x"]},{"name":"b","shape":[1],"datatype":"FP32"},{"name":"c","datatype":"FP32","data":[1]},{"shape":[1]},{"name":"c","shape":[1],"datatype":"FP32","data":[1]},{"name":"c","shape":[1],"datatype":"FP32","data":[1]}]}"#
            )
            #expect(Bool(false))
        } catch {
            let text = "\(error)"
            for part in ["\"a\": ", "\"b\": wanted data", "\"c\": wanted a shape", "inputs[3]: wanted a name", "found a second one"] {
                #expect(text.contains(part), "\(text)")
            }
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"inputs":{}}"#, #"{"inputs":[],"inputs":[]}"#, #"{"inputs":[{"name":"x","name":"y"}]}"#,
        #"{"inputs":[],"parameters":{"a":[1]}}"#, #"{"inputs":[],"parameters":{"a":1,"a":2}}"#, #"{"inputs":[],"outputs":[{}]}"#,
        #"{"inputs":[]} x"#,
        #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1e999]}]}"#, #"{"inputs":[{"name":"\ud800","shape":[1]}]}"#,
        #"{"inputs":[],"parameters":{"binary_data_output":1}}"#,
        #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":"# + String(repeating: "[", count: 100_000) + "}]}",
    ])
    func `what is no request is refused`(json: String) {
        #expect(throws: OpenInferenceError.self) { try call(json) }
    }

    @Test func `a number of many digits is read, and one beyond all doubles is refused`() throws {
        let digits = String(repeating: "7", count: 100_000)
        #expect(try tensor("FP64", "[1]", "[0.\(digits)]") == Tensor(.double, [1], .double([0.777_777_777_777_777_8])))
        #expect(problem("FP64", "[1]", "[\(digits)]").contains("within the range of a double"))
        #expect(throws: OpenInferenceError.self) {
            try InferCall(body: [UInt8](#"{"id":""#.utf8) + [0xff] + [UInt8](#"","inputs":[]}"#.utf8)[...], inputs: [])
        }
    }
}

struct BinaryTensorTests {
    private let json =
        #"{"inputs":[{"name":"a","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}},{"name":"b","shape":[1],"datatype":"FP32","data":[1]},{"name":"c","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}]}"#

    @Test func `binary tensors are the bytes after the JSON, in order`() throws {
        let read = try call(json, binary: [1, 0, 0xff, 0xff, 2, 0, 0, 0, 0xff, 0]).request.inputs
        #expect(try read.tensors()["a"] == Tensor(.int16, [2], .int32([1, -1])))
        #expect(try read.tensors()["c"] == Tensor(.string, [1], .bytes([[0xff, 0]])))
        #expect(read["a"]?.parameters.isEmpty == true)
    }

    @Test(
        arguments: [
            ([1, 0, 0xff], "tensor \"a\": wanted 4 bytes"),
            ([1, 0, 0xff, 0xff, 9, 0, 0, 0, 0xff, 0], "tensor \"c\": wanted a string of 9 bytes"),
            ([1, 0, 0xff, 0xff, 2, 0, 0, 0, 0xff, 0, 1], "found 1 bytes more"),
        ] as [([UInt8], String)])
    func `binary parts that do not fit are refused`(binary: [UInt8], wanted: String) {
        do {
            _ = try call(json, binary: binary)
            #expect(Bool(false))
        } catch { #expect("\(error)".contains(wanted), "\(error)") }
        #expect(throws: OpenInferenceError.self) { try call("{}", jsonLength: 3) }
    }

    @Test func `a body without JSON is the one input of the model`() throws {
        let read = try InferCall(body: [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40], jsonLength: 0, inputs: [Field("x", .float, [-1, 2])])
        #expect(try read.request.inputs.tensors() == ["x": Tensor(.float, [1, 2], .float([1, 2]))])
        let text = try InferCall(body: [0xff, 0], jsonLength: 0, inputs: [Field("x", .string)])
        #expect(try text.request.inputs.tensors() == ["x": Tensor(.string, [1], .bytes([[0xff, 0]]))])
        #expect(throws: OpenInferenceError.self) { try InferCall(body: [0], jsonLength: 0, inputs: [Field("x", .float)]) }
        #expect(throws: OpenInferenceError.self) {
            try InferCall(body: [0], jsonLength: 0, inputs: [Field("x", .bool), Field("y", .bool)])
        }
        #expect(throws: OpenInferenceError.self) { try InferCall(body: [0], jsonLength: 0, inputs: [Field("x", .complex64)]) }
    }
}
