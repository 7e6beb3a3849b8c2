// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Testing

struct CompositionTests {
    private func stage(_ name: String, _ variants: ([Field], [Field])...) -> StageContract {
        StageContract(
            name: name,
            variants: variants.enumerated().map { place, sides in
                .init(name: "\(name)-model:\(place + 1)", signature: Signature(inputs: sides.0, outputs: sides.1))
            })
    }

    private func mismatches(_ stages: StageContract...) -> [String] {
        do throws(CompositionError) {
            _ = try Signature.compose(stages)
            return []
        } catch { return error.mismatches.map(\.description) }
    }

    let x = Field("x", .double, [30])
    let y = Field("y", .int64, .scalar)

    @Test func `one variant alone is the application's contract`() throws {
        let contract = try Signature.compose([stage("stage-0", ([x], [y]))])
        #expect(contract.signature == Signature(inputs: [x], outputs: [y]))
        #expect(contract.stages == [contract.signature])
    }

    @Test func `variants merge by name, whatever their order`() throws {
        let a = Field("a", .float, [-1], profile: .text)
        let b = Field("b", .bool)
        let narrow = Field("a", .float, [4], profile: .image)
        let contract = try Signature.compose([stage("s", ([a, b], [a, y]), ([b, narrow], [y, narrow]))])
        #expect(contract.signature.inputs == [Field("a", .float, [4], profile: .text), b])
        #expect(contract.signature.outputs == [Field("a", .float, [-1], profile: .text), y])
    }

    @Test func `a stage wants the inputs of all variants and promises the outputs of every one`() throws {
        let extra = Field("extra", .string, .scalar)
        let contract = try Signature.compose([stage("s", ([x], [y]), ([x, extra], [y, extra]))])
        #expect(contract.signature == Signature(inputs: [x, extra], outputs: [y]))
    }

    @Test func `variants that exclude each other are named`() {
        #expect(
            mismatches(stage("s", ([x], [y]), ([Field("x", .double, [29])], [Field("y", .string, .scalar)]))) == [
                "stage \"s\", field \"x\": wants double [30], got double [29] of s-model:2",
                "stage \"s\", field \"y\": wants int64 scalar, got string scalar of s-model:2",
            ])
        #expect(
            mismatches(stage("s", ([x], [y]), ([x], [x]))) == ["stage \"s\", field \"y\": wants an output that all variants have, got none"]
        )
    }

    @Test func `inputs that no earlier stage produces come from the request`() throws {
        let age = Field("age", .int64, .scalar)
        let clean = Field("clean", .double, [30])
        let contract = try Signature.compose([
            stage("clean", ([x], [clean])), stage("score", ([clean, age], [y])),
        ])
        #expect(contract.signature == Signature(inputs: [x, age], outputs: [y]))
        #expect(contract.stages.map { $0.inputs.map(\.name) } == [["x"], ["clean", "age"]])
    }

    @Test func `an output that does not cover the next stage's input is named`() {
        #expect(
            mismatches(stage("clean", ([x], [Field("c", .double, [10])])), stage("score", ([Field("c", .double, [11])], [y]))) == [
                "stage \"score\", field \"c\": wants double [11], got double [10]"
            ])
        #expect(
            mismatches(stage("clean", ([x], [Field("c", .string)])), stage("score", ([Field("c", .double)], [y]))) == [
                "stage \"score\", field \"c\": wants double, got string"
            ])
    }

    @Test func `open extents and untold shapes may fit, and are left to the check of each request`() {
        #expect(mismatches(stage("a", ([x], [Field("c", .double, [-1])])), stage("b", ([Field("c", .double, [11])], [y]))) == [])
        #expect(mismatches(stage("a", ([x], [Field("c", .double)])), stage("b", ([Field("c", .double, [11])], [y]))) == [])
    }

    @Test func `what an earlier stage made and the one before did not pass on is missing`() {
        let c = Field("c", .double, [1])
        #expect(
            mismatches(stage("a", ([x], [c])), stage("b", ([c], [y])), stage("d", ([y, c], [y]))) == [
                "stage \"d\", field \"c\": wants double [1] from stage \"b\", got it only from stage \"a\""
            ])
    }

    @Test func `an input that two stages take from the request must suit both`() throws {
        let open = Field("x", .double, [-1])
        let contract = try Signature.compose([stage("a", ([open], [y])), stage("b", ([y, x], [y]))])
        #expect(contract.signature.inputs == [x])
        #expect(mismatches(stage("a", ([x], [y])), stage("b", ([y, Field("x", .float, [30])], [y]))).count == 1)
    }

    @Test func `maps are covered field by field`() {
        let give = Field("m", .map, subfields: [Field("a", .bool)])
        let want = Field("m", .map, subfields: [Field("a", .int8), Field("b", .bool)])
        #expect(
            mismatches(stage("a", ([x], [give])), stage("b", ([want], [y]))) == [
                "stage \"b\", field \"m.a\": wants int8, got bool", "stage \"b\", field \"m.b\": wants bool, got nothing",
            ])
    }
}
