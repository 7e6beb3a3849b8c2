// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Protos

extension FuzzTarget {
    /// Good inputs, from which others are made.
    package var seeds: [[UInt8]] {
        switch self {
        case .json: Self.texts
        case .fields: Self.objects
        case .rest: Self.calls
        case .infer:
            Self.tensors.compactMap {
                try? InferRequest(model: "m", version: "1", id: "7", parameters: Self.parameters, inputs: $0).message()
            } + Self.typed
        case .tensorflow:
            Self.tensors.compactMap {
                try? TensorFlowRequest(model: ModelSpec(name: "m", version: 1, signature: "s"), inputs: $0, wanted: ["y"]).message()
            }
        case .gateway: Self.tensors.compactMap { try? GatewayRequest(name: "m", tensors: $0).message() }
        }
    }

    /// Words that grammars know, for mutations to put in.
    package var words: [[UInt8]] {
        switch self {
        case .json, .fields, .rest:
            [
                "null", "true", "false", "1e999", "-0", "0.1", "18446744073709551615", "-9223372036854775808", "\\ud800", "\\udc00",
                "\\u0000", "\"NaN\"",
                "\"Infinity\"", "[", "]", "{", "}", "[[[[[[[[", "\"\"", "\"a\":", ",", "\u{ff}", "1.7976931348623157e308", "4.9e-324",
                "inputs", "outputs",
                "parameters", "binary_data_size", "binary_data", "datatype", "shape", "data", "FP16", "FP32", "BYTES", "BOOL", "UINT64",
                "INT8", "BF16",
            ].map { Array($0.utf8) }
        case .infer, .tensorflow, .gateway:
            ["FP32", "FP16", "BYTES", "INT8", "BOOL", "x", "y"].map { Array($0.utf8) } + [
                [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], [0x80, 0x80, 0x80, 0x80, 0x10], [0x08, 27], [0x08, 7],
                [0x18, 1], [0x22, 0],
                [0xff, 0xff, 0xff, 0x7f], [0x2a, 0], [0x3a, 0], [0x12, 0], [0x0a, 0],
            ]
        }
    }

    private static let parameters = InferParameters([("a", .bool(true)), ("b", .string("x")), ("c", .double(0.5)), ("d", .uint(.max))])

    private static let tensors: [WireTensors] = [
        WireTensors(["x": Tensor(.float, [2], .float([1, .nan])), "y": Tensor(.string, [2], .bytes([[0xff], []]))]),
        WireTensors([
            "a": Tensor(.int64, [1, 2], .int64([.min, .max])), "b": Tensor(.bool, .scalar, .bool([true])),
            "c": Tensor(.half, [0], .half([])),
        ]),
        WireTensors([
            "n": Tensor(.int8, [2], .int32([-128, 127])), "u": Tensor(.uint64, [1], .uint64([.max])),
            "w": Tensor(.uint16, [1], .int32([65535])),
        ]),
        WireTensors([
            "d": Tensor(.double, [1], .double([-0.0])), "q": Tensor(.uint32, [1], .uint32([.max])), "i": Tensor(.int32, [1], .int32([-1])),
        ]),
        WireTensors([
            "z": Tensor(.complex64, [1], .float([1, 2])), "k": Tensor(.qint8, [1], .int32([-1])),
            "v": Tensor(.complex128, nil, .double([1, 2])),
        ]),
        WireTensors(["m": Tensor(.map, [1], .maps([["x": Tensor(.int32, nil, .int32([7])), "y": .strings(["s"], [1])]]))]),
    ]

    private static let typed: [[UInt8]] = tensors.compactMap {
        // An answer's typed contents stand where a request's do; what follows them is not read as anything.
        try? InferResponse(outputs: $0).message(isRaw: false)
    }

    private static let texts: [[UInt8]] = [
        #"{"a":[1,-2.5e-3,true,null,"é\n😀",{"b":[]}],"c":18446744073709551615}"#, "[[1,2],[3.0,4e2]]", #""plain text""#, "-0", "1e308",
        "[]",
        #" { "k" : [ 0.1 , 123456789012345678901234567890 , 2.2250738585072011e-308 ] } "#,
    ].map { Array($0.utf8) }

    private static let objects: [[UInt8]] = [
        #"{"f":[1,2.5,"NaN"],"d":[[1,2],[3,4]],"h":[0.1],"i":9223372036854775807,"u":18446744073709551615,"b":[[true],[false]]}"#,
        #"{"s":["a","é"],"n":[-128,127],"c":[[1,2],[3,4]],"m":{"x":1,"y":"z"}}"#, #"{"f":[],"d":[1,2,3,4],"h":"-Infinity"}"#,
    ].map { Array($0.utf8) }

    private static let calls: [[UInt8]] = [
        [0]
            + Array(
                #"{"id":"1","parameters":{"a":1,"binary_data_output":true},"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4.5]]},{"name":"s","shape":[1],"datatype":"BYTES","parameters":{"k":true},"data":["é"]}],"outputs":[{"name":"y","parameters":{"binary_data":false}}]}"#
                    .utf8),
        [0]
            + Array(
                #"{"inputs":[{"data":[true,false],"name":"b","shape":[2],"datatype":"BOOL"},{"name":"h","shape":[],"datatype":"FP16","data":0.1}]}"#
                    .utf8),
        [0]
            + Array(
                #"{"inputs":[{"name":"u","shape":[2],"datatype":"UINT64","data":[18446744073709551615,0]},{"name":"n","shape":[1],"datatype":"INT8","data":[-128]},{"name":"d","shape":[2],"datatype":"FP64","data":["NaN",1e-7]}]}"#
                    .utf8),
        [1, 0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x7f],
        [10]
            + Array(
                #"{"inputs":[{"name":"i","shape":[1],"datatype":"INT16","parameters":{"binary_data_size":2}},{"name":"t","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}]}"#
                    .utf8) + [1, 0, 2, 0, 0, 0, 65, 0xff],
    ]
}
