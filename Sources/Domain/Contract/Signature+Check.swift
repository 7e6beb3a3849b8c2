// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What a check needs to know of a tensor: all but the values.
package protocol TensorOutlining {
    var dtype: DataType { get }
    var shape: Shape? { get }
    var count: Int { get }
    /// The elements of a map, each with its own tensors; empty for every other type.
    var entries: [[String: Self]] { get }
}

extension Tensor: TensorOutlining {
    package var entries: [[String: Tensor]] { if case .maps(let entries) = elements { entries } else { [] } }
}

/// What to do with a tensor that no field declares.
package enum UndeclaredPolicy: Sendable { case refused, ignored }

extension Signature {
    /// Every way in which the tensors are not the declared inputs; an undeclared one counts.
    package func violations(ofInputs tensors: [String: some TensorOutlining]) -> [ContractViolation] {
        Self.violations(of: tensors, against: inputs, undeclared: .refused)
    }

    /// Every way in which the tensors are not the declared outputs; undeclared ones do not matter.
    package func violations(ofOutputs tensors: [String: some TensorOutlining]) -> [ContractViolation] {
        Self.violations(of: tensors, against: outputs, undeclared: .ignored)
    }

    /// Names, types, ranks, extents and element counts, maps all the way down; in the order of the fields.
    package static func violations<Outline: TensorOutlining>(
        of tensors: [String: Outline], against fields: [Field], undeclared: UndeclaredPolicy, path: String = ""
    ) -> [ContractViolation] {
        var violations: [ContractViolation] = []
        var matched = 0
        for field in fields {
            guard let tensor = tensors[field.name] else {
                violations.append(.missing(field, at: path))
                continue
            }
            matched += 1
            violations += self.violations(of: tensor, against: field, undeclared: undeclared, path: path)
        }
        if undeclared == .refused, matched < tensors.count {
            let declared = Set(fields.map(\.name))
            let strangers = tensors.keys.filter { !declared.contains($0) }.sorted()
            violations += strangers.map { .unknown($0, at: path, among: fields) }
        }
        return violations
    }

    private static func violations<Outline: TensorOutlining>(
        of tensor: Outline, against field: Field, undeclared: UndeclaredPolicy, path: String
    ) -> [ContractViolation] {
        if let found = mismatch(of: tensor, against: field) {
            return [ContractViolation(field: path + field.name, wanted: field.wanted, found: found)]
        }
        guard field.dtype == .map else { return [] }
        return tensor.entries.flatMap {
            violations(of: $0, against: field.subfields, undeclared: undeclared, path: "\(path)\(field.name).")
        }
    }

    private static func mismatch(of tensor: some TensorOutlining, against field: Field) -> String? {
        // A text only where there is something to say: this is on the path of every prediction, several times.
        func shown() -> String { "\(tensor.dtype.rawValue)\(tensor.shape.map { " \($0)" } ?? "")" }
        guard field.dtype == tensor.dtype || (field.dtype == .any && tensor.dtype != .invalid) else { return shown() }
        if let wanted = field.shape {
            guard let shape = tensor.shape else { return "\(tensor.dtype.rawValue) without a shape" }
            guard wanted.accepts(shape) else { return shown() }
        }
        guard let shape = tensor.shape else { return nil }
        guard shape.count == tensor.count else {
            return "\(shown()) with \(tensor.count) element\(tensor.count == 1 ? "" : "s")"
        }
        return nil
    }
}
