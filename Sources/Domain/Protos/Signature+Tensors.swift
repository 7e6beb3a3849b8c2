// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract

extension Signature {
    /// Every way in which the tensors are not the declared inputs; an undeclared one counts. Cost: no allocation when all is well.
    package func violations(ofInputs tensors: WireTensors) -> [ContractViolation] {
        tensors.fit(inputs, undeclared: .refused) ? [] : violations(ofInputs: tensors.outlines)
    }

    /// Every way in which the tensors are not the declared outputs; undeclared ones do not matter. Cost: as for inputs.
    package func violations(ofOutputs tensors: WireTensors) -> [ContractViolation] {
        tensors.fit(outputs, undeclared: .ignored) ? [] : violations(ofOutputs: tensors.outlines)
    }
}

extension WireTensors {
    /// Whether the tensors are surely what the fields declare. Maps, and what is amiss, are for the whole check, which finds words.
    func fit(_ fields: [Field], undeclared: UndeclaredPolicy) -> Bool {
        guard undeclared == .ignored || entries.count == fields.count else { return false }
        for (place, field) in fields.enumerated() {
            // Mostly they come in the declared order.
            let isHere = place < entries.count && entries[place].name == field.name
            guard field.dtype != .map, let found = isHere ? place : entries.firstIndex(where: { $0.name == field.name }),
                entries[found].outline.fits(field)
            else { return false }
        }
        return true
    }
}

extension TensorOutline {
    fileprivate func fits(_ field: Field) -> Bool {
        guard field.dtype == dtype || (field.dtype == .any && dtype != .invalid) else { return false }
        guard let shape else { return field.shape == nil }
        if let wanted = field.shape, !wanted.accepts(shape) { return false }
        return shape.count == count
    }
}
