// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Protos
import Testing

/// Fields of one message, by hand.
private func chunk(_ field: Int, _ content: [UInt8]) -> [UInt8] {
    var bytes = [UInt8(field << 3 | 2)]
    var length = content.count
    while length >= 0x80 {
        bytes.append(UInt8(length & 0x7f) | 0x80)
        length >>= 7
    }
    return bytes + [UInt8(length)] + content
}

private func text(_ field: Int, _ text: String) -> [UInt8] { chunk(field, Array(text.utf8)) }

private func input(_ name: String, _ datatype: String, _ dims: [UInt8], _ rest: [UInt8] = []) -> [UInt8] {
    chunk(5, text(1, name) + text(2, datatype) + chunk(3, dims) + rest)
}

private func problem(_ message: [UInt8]) -> String {
    do throws(ProtoError) {
        _ = try InferRequest(scanning: message[...])
        return "nothing"
    } catch { return "\(error)" }
}

struct InferMessageTests {
    @Test func `what a caller sends beside values passes through`() throws {
        // parameters 4: {"k": int64 5}; outputs 6: y with {"top": true}
        let parameter = text(1, "k") + chunk(2, [0x10, 5])
        let message =
            text(1, "m") + text(2, "3") + text(3, "id") + chunk(4, parameter)
            + input("x", "FP32", [1], chunk(4, parameter)) + chunk(6, text(1, "y") + chunk(2, text(1, "top") + chunk(2, [0x08, 1])))
            + chunk(7, [0, 0, 0x80, 0x3f])
        let request = try InferRequest(scanning: message[...])
        #expect(request.model == "m" && request.version == "3" && request.id == "id" && request.isRaw)
        #expect(request.parameters["k"] == .int(5) && request.inputs["x"]?.parameters["k"] == .int(5))
        #expect(request.outputs.map(\.name) == ["y"] && request.outputs[0].parameters["top"] == .bool(true))
        #expect(try request.message() == message)
    }

    @Test func `typed contents become raw ones, unpacked or packed`() throws {
        let message =
            input("i", "INT8", [2], chunk(5, chunk(2, [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])))
            + input("s", "BYTES", [2], chunk(5, chunk(8, []) + chunk(8, [0xff]))) + input("u", "UINT64", [2], chunk(5, [0x28, 7, 0x28, 8]))
            + input("e", "FP64", [0])
        let request = try InferRequest(scanning: message[...])
        #expect(!request.isRaw)
        #expect(
            try request.inputs.tensors() == [
                "i": Tensor(.int8, [2], .int32([1, -1])), "s": Tensor(.string, [2], .bytes([[], [0xff]])),
                "u": Tensor(.uint64, [2], .uint64([7, 8])), "e": Tensor(.double, [0], .double([])),
            ])
    }

    @Test(
        arguments: [
            (input("x", "BF16", [1]) + chunk(7, [0, 0]), "found BF16"), (input("x", "float", [1]), "found \"float\""),
            (input("x", "FP32", [1]) + input("x", "FP32", [1]) + chunk(7, [0, 0, 0, 0]) + chunk(7, [0, 0, 0, 0]), "found a second one"),
            (input("x", "FP32", [2]) + chunk(7, [0, 0, 0, 0]), "wanted 2 elements of 4 bytes for shape [2], found 4 bytes"),
            (input("x", "FP32", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]) + chunk(7, []), "found shape [-1]"),
            (input("x", "INT8", Array(repeating: [0x80, 0x80, 0x80, 0x80, 0x10], count: 2).flatMap { $0 }) + chunk(7, []), "below 2^63"),
            (input("x", "FP32", [1], chunk(5, [0x30, 1])), "wanted numbers of 4 bytes"),
            (input("x", "FP32", [1], chunk(5, chunk(7, [0, 0, 0, 0, 0, 0, 0, 0]))), "wanted fp32_contents for FP32, found fp64_contents"),
            (input("x", "UINT8", [1], chunk(5, [0x20, 0x80, 2])), "wanted a number from 0 to 255, found 256"),
            (input("x", "FP16", [1], chunk(5, [0x20, 1])), "wanted raw contents for FP16"),
            (input("x", "FP32", [1], chunk(5, chunk(6, [0, 0, 0, 0]))) + chunk(7, [0, 0, 0, 0]), "found both"),
            (input("x", "BYTES", [1]) + chunk(7, [9, 0, 0, 0, 1]), "wanted a string of 9 bytes"),
            (input("x", "BYTES", [2]) + chunk(7, [1, 0, 0, 0, 1]), "wanted 2 elements for shape [2], found 1"),
            (input("x", "FP32", [1]), "found 0 bytes"),
        ] as [([UInt8], String)])
    func `a tensor that breaks the protocol is told by its name`(message: [UInt8], wanted: String) {
        let found = problem(message)
        #expect(found.hasPrefix("tensor \"x\": ") && found.contains(wanted), "\(found)")
    }

    @Test func `empty contents beside raw ones count as none`() {
        #expect(problem(input("x", "FP32", [1], chunk(5, [])) + chunk(7, [0, 0, 0, 0])) == "nothing")
    }

    @Test func `raw contents are one for each input`() {
        #expect(problem(input("x", "FP32", [1]) + input("y", "FP32", [1]) + chunk(7, [0, 0, 0, 0])).contains("2 tensors, found 1"))
    }

    @Test func `an answer in a stream stands where its clients look for it`() throws {
        let response = InferResponse(model: "m", outputs: WireTensors(["y": Tensor(.bool, [1], .bool([true]))]))
        #expect(try response.streamed() == chunk(2, try response.message()))
        #expect(InferResponse.streamed(error: "no") == text(1, "no"))
    }
}

struct TensorFlowMessageTests {
    private func tensor(_ dtype: UInt8, shape: [UInt8], _ values: [UInt8]) throws -> WireTensors {
        let proto = [0x08, dtype] + chunk(2, shape) + values
        let message =
            chunk(1, text(1, "m") + chunk(2, [0x08, 3]) + text(3, "predict")) + chunk(2, text(1, "x") + chunk(2, proto)) + text(3, "y")
        let request = try TensorFlowRequest(scanning: message[...])
        #expect(request.model == ModelSpec(name: "m", version: 3, signature: "predict") && request.wanted == ["y"])
        #expect(try request.message() == message)
        return request.inputs
    }

    @Test func `the last of a short list stands for the rest, and zero for none`() throws {
        let named: [UInt8] = chunk(2, [0x08, 2] + text(2, "rows")) + chunk(2, [0x08, 2])
        let short = try tensor(3, shape: named, [0x38, 1, 0x38, 2])
        #expect(short["x"]?.outline.count == 4)
        #expect(try short.tensors() == ["x": Tensor(.int32, [2, 2], .int32([1, 2, 2, 2]))])
        #expect(try tensor(9, shape: named, []).tensors() == ["x": Tensor(.int64, [2, 2], .int64([0, 0, 0, 0]))])
        #expect(
            try tensor(7, shape: named, chunk(8, [9]) + chunk(8, [7])).tensors() == [
                "x": Tensor(.string, [2, 2], .bytes([[9], [7], [7], [7]]))
            ])
    }

    @Test func `no shape is a scalar, an unknown rank is a shape that is not told, and raw content is whole`() throws {
        #expect(try tensor(10, shape: [], [0x58, 1]).tensors() == ["x": Tensor(.bool, .scalar, .bool([true]))])
        #expect(try tensor(10, shape: [0x18, 1], [0x58, 1])["x"]?.outline.shape == nil)
        #expect(
            try tensor(5, shape: chunk(2, [0x08, 2]), chunk(4, [1, 0, 0xff, 0xff])).tensors() == [
                "x": Tensor(.int16, [2], .int32([1, -1]))
            ])
        #expect(throws: ProtoError("tensor \"x\": wanted elements of 2 bytes, found 3 bytes")) {
            try tensor(5, shape: [], chunk(4, [1, 0, 0]))
        }
    }

    @Test func `one element cannot be made to fill the memory`() throws {
        let huge = try tensor(1, shape: chunk(2, [0x08, 0x80, 0x80, 0x80, 0x80, 0x10]), [])
        #expect(throws: ProtoError.self) { try huge.encoded(as: .raw) }
    }
}
