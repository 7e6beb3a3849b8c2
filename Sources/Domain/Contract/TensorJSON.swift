// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Why JSON text is not the tensors that a signature asks for.
package enum TensorJSONError: Error, Equatable {
    /// The text is no JSON object.
    case malformed(JSONError)
    /// It is one, and breaks the signature in these ways.
    case violations([ContractViolation])
}

/// Tensors as JSON objects, driven by the fields that a signature declares.
///
/// The rules, both ways:
/// - One member per field. A scalar is a bare value, else nested lists by extents; a field without a shape takes its shape from the lists.
///   On the way in one flat list may fill a shape of any rank, with at most one extent left open.
/// - Numbers go in by value: `1.0` is a whole number, `1.5` is none; what a type cannot hold is refused, never cut.
///   64-bit integers are exact; floats come out as the shortest text that reads back the same.
/// - JSON has no NaN and no infinities: they are the strings `"NaN"`, `"Infinity"`, `"-Infinity"`, both ways.
/// - A complex number is two numbers in its innermost list, real then imaginary.
/// - Strings are text; bytes that are not UTF-8 come out with U+FFFD in their place.
/// - A map is an object, or lists of objects where the field has a shape.
package enum TensorJSON {
    /// Reads the tensors that the fields declare, straight into typed arrays.
    ///
    /// Cost: one pass over the text and no tree in between. Reports every violation, not only the first.
    package static func read(
        _ json: [UInt8], as fields: [Field], undeclared: UndeclaredPolicy = .refused
    ) throws(TensorJSONError) -> [String: Tensor] {
        var object = ObjectReading(fields: fields, undeclared: undeclared, path: "")
        do throws(JSONError) {
            try JSONReader.read(json) { (reader) throws(JSONError) in try object.read(&reader) }
        } catch { throw .malformed(error) }
        guard object.violations.isEmpty else { throw .violations(object.violations) }
        return object.tensors
    }

    /// One JSON object with the declared tensors in the order of the fields; the others are left out.
    package static func write(_ tensors: [String: Tensor], as fields: [Field]) -> [UInt8] {
        var writer = JSONWriter()
        write(tensors, as: fields, to: &writer)
        return writer.bytes
    }
}

/// One JSON object on its way to tensors.
struct ObjectReading {
    let fields: [Field]
    let undeclared: UndeclaredPolicy
    let path: String
    var tensors: [String: Tensor] = [:]
    var violations: [ContractViolation] = []
    private var given: [Bool]
    private var next = 0

    /// How many violations of an object are kept.
    private static let most = 100

    init(fields: [Field], undeclared: UndeclaredPolicy, path: String) {
        self.fields = fields
        self.undeclared = undeclared
        self.path = path
        given = Array(repeating: false, count: fields.count)
        tensors.reserveCapacity(fields.count)
    }

    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        try reader.object { (reader, key) throws(JSONError) in
            guard let place = place(of: key) else {
                stranger(String(decoding: key, as: UTF8.self))
                return false
            }
            let field = fields[place]
            if given[place] {
                note(ContractViolation(field: path + field.name, wanted: "one value", found: "a second one"))
                return false
            }
            given[place] = true
            do throws(JSONError) { try read(field, &reader) } catch { throw error.inside(field.name) }
            return true
        }
        for (place, field) in fields.enumerated() where !given[place] { violations.append(.missing(field, at: path)) }
    }

    /// The field of a key. Callers mostly keep the declared order, so the search starts after the last hit.
    private mutating func place(of key: UnsafeBufferPointer<UInt8>) -> Int? {
        for step in 0..<fields.count {
            let place = (next + step) % fields.count
            if fields[place].name.utf8.elementsEqual(key) {
                next = place + 1
                return place
            }
        }
        return nil
    }

    private mutating func stranger(_ name: String) {
        if undeclared == .refused, violations.count < Self.most { note(.unknown(name, at: path, among: fields)) }
    }

    /// A hostile object can break the contract as often as it likes; a person needs a few of its ways.
    private mutating func note(_ violation: ContractViolation) {
        if violations.count < Self.most { violations.append(violation) }
    }

    private mutating func read(_ field: Field, _ reader: inout JSONReader) throws(JSONError) {
        var value = ValueReading(field: field, undeclared: undeclared, path: path)
        let elements = try value.elements(&reader)
        violations += value.inner
        let outcome = value.outcome(elements)
        switch outcome {
        case .success(let tensor): tensors[field.name] = tensor
        case .failure(let violation): violations.append(violation)
        }
    }
}
