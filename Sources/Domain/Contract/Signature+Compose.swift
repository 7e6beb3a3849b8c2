// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One stage of an application, as far as contracts go.
package struct StageContract: Sendable, Hashable {
    /// One variant: what names it in messages (`claims:2`), and its model's signature.
    package struct Variant: Sendable, Hashable {
        package var name: String
        package var signature: Signature

        package init(name: String, signature: Signature) {
            self.name = name
            self.signature = signature
        }
    }

    package var name: String
    package var variants: [Variant]

    package init(name: String, variants: [Variant]) {
        self.name = name
        self.variants = variants
    }
}

/// Why signatures do not fit together.
package struct ContractMismatch: Error, Hashable, Sendable, CustomStringConvertible {
    package var stage: String
    package var field: String
    package var wanted: String
    package var found: String

    package var description: String { "stage \"\(stage)\", field \"\(field)\": wants \(wanted), got \(found)" }
}

/// Every way in which an application's stages do not fit together; never empty.
package struct CompositionError: Error, Hashable, Sendable, CustomStringConvertible {
    package var mismatches: [ContractMismatch]
    package var description: String { mismatches.map(\.description).joined(separator: "; ") }
}

/// What an application takes and gives, and what each of its stages does.
package struct ApplicationContract: Hashable, Sendable {
    package var signature: Signature
    /// The merged signature of each stage. A stage's inputs are looked up by name among the outputs
    /// of the stage before it, then among the inputs of the request.
    package var stages: [Signature]
}

extension Signature {
    /// Fits stages together: variants merge by field name, a stage's outputs feed the next, and inputs
    /// that no earlier stage produces come from the request.
    package static func compose(_ stages: [StageContract]) throws(CompositionError) -> ApplicationContract {
        var composing = Composing()
        let merged = stages.map { composing.merge($0) }
        var inputs = merged.first?.inputs ?? []
        for place in merged.indices.dropFirst() {
            composing.connect(place, of: merged, named: stages.map(\.name), carrying: &inputs)
        }
        guard composing.mismatches.isEmpty else { throw CompositionError(mismatches: composing.mismatches) }
        let name = merged.count == 1 ? merged.first?.name : nil
        return ApplicationContract(
            signature: Signature(name: name ?? defaultName, inputs: inputs, outputs: merged.last?.outputs ?? []), stages: merged)
    }
}

/// Which side of a model two fields meet on: callers must satisfy both inputs, but may get either output.
private enum Side { case inputs, outputs }

private struct Composing {
    var mismatches: [ContractMismatch] = []

    /// The signature of a stage: every input that some variant wants, and the outputs that all variants give.
    mutating func merge(_ stage: StageContract) -> Signature {
        guard var merged = stage.variants.first?.signature else { return Signature(inputs: [], outputs: []) }
        for variant in stage.variants.dropFirst() {
            if variant.signature.name != merged.name {
                mismatches.append(
                    ContractMismatch(
                        stage: stage.name, field: "(signature)", wanted: "the name \"\(merged.name)\"",
                        found: "\"\(variant.signature.name)\" of \(variant.name)"))
            }
            let place = "\(variant.name)"
            merged.inputs = merge(merged.inputs, variant.signature.inputs, .inputs, stage.name, place)
            merged.outputs = merge(merged.outputs, variant.signature.outputs, .outputs, stage.name, place)
        }
        if merged.outputs.isEmpty, let output = stage.variants.first?.signature.outputs.first {
            mismatches.append(
                ContractMismatch(stage: stage.name, field: output.name, wanted: "an output that all variants have", found: "none"))
        }
        return merged
    }

    /// Makes the inputs of a stage come from the stage before, or from the request.
    mutating func connect(_ place: Int, of merged: [Signature], named names: [String], carrying inputs: inout [Field]) {
        for input in merged[place].inputs {
            if let output = merged[place - 1].outputs.first(where: { $0.name == input.name }) {
                cover(input, with: output, stage: names[place])
            } else if let earlier = merged[..<place].lastIndex(where: { $0.outputs.contains { $0.name == input.name } }) {
                mismatches.append(
                    ContractMismatch(
                        stage: names[place], field: input.name, wanted: "\(input.wanted) from stage \"\(names[place - 1])\"",
                        found: "it only from stage \"\(names[earlier])\""))
            } else if let known = inputs.firstIndex(where: { $0.name == input.name }) {
                inputs[known] = join(inputs[known], input, .inputs, names[place], "the request") ?? inputs[known]
            } else {
                inputs.append(input)
            }
        }
    }

    private mutating func cover(_ input: Field, with output: Field, stage: String, path: String = "") {
        let typesFit = input.dtype == output.dtype || input.dtype == .any || output.dtype == .any
        let shapesFit: Bool =
            if let wanted = input.shape, let given = output.shape { wanted.agrees(with: given) } else { true }
        guard typesFit, shapesFit else {
            mismatches.append(
                ContractMismatch(stage: stage, field: path + input.name, wanted: input.wanted, found: output.wanted))
            return
        }
        for subfield in input.subfields where input.dtype == .map && output.dtype == .map {
            if let given = output.subfields.first(where: { $0.name == subfield.name }) {
                cover(subfield, with: given, stage: stage, path: "\(path)\(input.name).")
            } else {
                mismatches.append(
                    ContractMismatch(
                        stage: stage, field: "\(path)\(input.name).\(subfield.name)", wanted: subfield.wanted, found: "nothing"))
            }
        }
    }

    private mutating func merge(_ left: [Field], _ right: [Field], _ side: Side, _ stage: String, _ place: String) -> [Field] {
        var merged: [Field] = []
        for field in left {
            if let other = right.first(where: { $0.name == field.name }) {
                merged.append(join(field, other, side, stage, place) ?? field)
            } else if side == .inputs {
                merged.append(field)
            }
        }
        guard side == .inputs else { return merged }
        return merged + right.filter { field in !left.contains { $0.name == field.name } }
    }

    private mutating func join(_ left: Field, _ right: Field, _ side: Side, _ stage: String, _ place: String) -> Field? {
        var joined = left
        joined.profile = left.profile ?? right.profile
        joined.subfields = merge(left.subfields, right.subfields, side, stage, place)
        guard left.dtype == right.dtype, let shape = join(left.shape, right.shape, side) else {
            mismatches.append(
                ContractMismatch(stage: stage, field: left.name, wanted: left.wanted, found: "\(right.wanted) of \(place)"))
            return nil
        }
        joined.shape = shape
        return joined
    }

    /// Where either is open, an input takes the narrower and an output the wider; nil when they exclude each other.
    private func join(_ left: Shape?, _ right: Shape?, _ side: Side) -> Shape?? {
        guard let left, let right else { return .some(side == .inputs ? left ?? right : nil) }
        guard left.agrees(with: right) else { return nil }
        let dims = zip(left.dims, right.dims).map { side == .inputs ? max($0, $1) : min($0, $1) }
        return Shape(dims)
    }
}
