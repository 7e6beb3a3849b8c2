// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import Testing

@testable import KubeRuntime

struct FinalizerTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var finalizers: [String]
        var isBeingDeleted: Bool
        var step: FinalizerStep
    }

    static let path = "/metadata/finalizers"
    static let cases = [
        Case(testDescription: "ours is there: live", finalizers: ["x", "us"], isBeingDeleted: false, step: .live),
        Case(
            testDescription: "none: make the list, if there still is none", finalizers: [], isBeingDeleted: false,
            step: .add([.init(.test, path, .null), .init(.add, path, ["us"])])),
        Case(
            testDescription: "strangers only: append, if they are still the same", finalizers: ["x", "y"], isBeingDeleted: false,
            step: .add([.init(.test, path, ["x", "y"]), .init(.add, path + "/-", "us")])),
        Case(
            testDescription: "going: clean up, then take out ours and no other", finalizers: ["x", "us"], isBeingDeleted: true,
            step: .cleanUp(then: [.init(.test, path + "/1", "us"), .init(.remove, path + "/1")])),
        Case(testDescription: "going and not ours: leave it", finalizers: ["x"], isBeingDeleted: true, step: .gone),
    ]

    @Test(arguments: cases) func `an object's metadata says the step`(_ it: Case) {
        var metadata = ObjectMeta(ObjectKey("shop", "a"))
        metadata.finalizers = it.finalizers
        metadata.deletionTimestamp = it.isBeingDeleted ? Timestamp(seconds: 1) : nil
        #expect(FinalizerStep(for: metadata, name: "us") == it.step)
    }

    @Test func `the test for no list is sent as null`() {
        let steps = [JSONPatchStep(.test, Self.path, .null)]
        #expect(String(decoding: steps.json(), as: UTF8.self) == #"[{"op":"test","path":"/metadata/finalizers","value":null}]"#)
    }
}
