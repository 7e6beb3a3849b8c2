// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import OpenInference
import Protos
import Testing

private func response(_ tensors: [String: Tensor]) -> InferResponse {
    InferResponse(model: "m", version: "2", id: "7", outputs: WireTensors(tensors))
}

private let anything = InferCall(InferRequest(inputs: WireTensors()))

struct InferAnswerTests {
    @Test func `outputs are written flat, with their shape`() throws {
        let answer = try InferAnswer(
            response([
                "a": Tensor(.float, [2, 2], .float([1, 0.1, -.infinity, .nan])), "b": Tensor(.uint64, .scalar, .uint64([.max])),
                "c": .strings(["é\"\n"], [1]), "d": Tensor(.half, [1], .half([0x3c00])), "e": Tensor(.int8, [0], .int32([])),
            ]), for: anything)
        #expect(answer.jsonLength == nil && answer.contentType == "application/json")
        #expect(
            String(decoding: answer.body, as: UTF8.self) == #"{"model_name":"m","model_version":"2","id":"7","outputs":["#
                + #"{"name":"a","shape":[2,2],"datatype":"FP32","data":[1.0,0.1,"-Infinity","NaN"]},"#
                + #"{"name":"b","shape":[],"datatype":"UINT64","data":[18446744073709551615]},"#
                + #"{"name":"c","shape":[1],"datatype":"BYTES","data":["é\"\n"]},"#
                + #"{"name":"d","shape":[1],"datatype":"FP16","data":[1.0]},"# + #"{"name":"e","shape":[0],"datatype":"INT8","data":[]}]}"#)
    }

    @Test func `requested outputs go out in their order, each as JSON or as binary`() throws {
        var request = InferRequest(inputs: WireTensors())
        request.outputs = [RequestedOutput("b"), RequestedOutput("a")]
        let call = InferCall(request, isBinary: true, binary: ["a": false])
        let tensors = [
            "a": Tensor(.bool, [1], .bool([true])), "b": Tensor(.int16, [2], .int32([1, -1])), "c": Tensor(.bool, [1], .bool([true])),
        ]
        let answer = try InferAnswer(InferResponse(model: "m", outputs: WireTensors(tensors)), for: call)
        let json =
            #"{"model_name":"m","outputs":[{"name":"b","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}},"#
            + #"{"name":"a","shape":[1],"datatype":"BOOL","data":[true]}]}"#
        #expect(answer.body == Array(json.utf8) + [1, 0, 0xff, 0xff])
        #expect(answer.jsonLength == json.utf8.count && answer.contentType == "application/octet-stream")
    }

    @Test func `what JSON or the protocol cannot carry is an error that names the output`() throws {
        let bytes = response(["s": Tensor(.string, [2], .bytes([[65], [0xff]]))])
        do {
            _ = try InferAnswer(bytes, for: anything)
            #expect(Bool(false))
        } catch { #expect(error.description.hasPrefix("tensor \"s\": ") && error.description.contains("binary_data")) }
        #expect(try InferAnswer(bytes, for: InferCall(InferRequest(inputs: WireTensors()), isBinary: true)).body.last == 0xff)
        #expect(throws: OpenInferenceError("tensor \"z\": wanted a type that the Open Inference Protocol carries, found complex64")) {
            try InferAnswer(response(["z": Tensor(.complex64, [1], .float([1, 2]))]), for: anything)
        }
    }

    @Test func `a model is told with its versions, types and shapes`() {
        let signature = Signature(
            inputs: [Field("x", .double, [-1, 30]), Field("c", .complex64)], outputs: [Field("y", .string, .scalar)])
        let model = ModelMetadata(name: "m", versions: ["1"], platform: "hydro", signature: signature)
        #expect(
            String(decoding: model.json(), as: UTF8.self) == #"{"name":"m","versions":["1"],"platform":"hydro","#
                + #""inputs":[{"name":"x","datatype":"FP64","shape":[-1,30]},{"name":"c","datatype":"COMPLEX64","shape":[-1]}],"#
                + #""outputs":[{"name":"y","datatype":"BYTES","shape":[]}]}"#)
        #expect(String(decoding: InferenceJSON.error("a \"b\""), as: UTF8.self) == #"{"error":"a \"b\""}"#)
        let index = InferenceJSON.index([
            IndexedModel(name: "m", version: "1", isReady: true), IndexedModel(name: "n", isReady: false, reason: "r"),
        ])
        #expect(
            String(decoding: index, as: UTF8.self)
                == #"[{"name":"m","version":"1","state":"READY","reason":""},{"name":"n","state":"UNAVAILABLE","reason":"r"}]"#)
    }
}
