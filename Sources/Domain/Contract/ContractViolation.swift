// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One way in which values break a signature.
package struct ContractViolation: Error, Hashable, Sendable {
    package enum Kind: Sendable, Hashable {
        /// A declared field that was not given.
        case missing
        /// A given field that was not declared.
        case unknown
        /// A field whose value is not what was declared.
        case mismatch
    }

    package var kind: Kind
    /// The field's name; inside maps a path: `claim.amount`.
    package var field: String
    package var wanted: String
    package var found: String

    package init(_ kind: Kind = .mismatch, field: String, wanted: String, found: String) {
        self.kind = kind
        self.field = field
        self.wanted = wanted
        self.found = found
    }

    static func missing(_ field: Field, at path: String) -> ContractViolation {
        ContractViolation(.missing, field: path + field.name, wanted: field.wanted, found: "nothing")
    }

    static func unknown(_ name: String, at path: String, among fields: [Field]) -> ContractViolation {
        let names = fields.prefix(16).map { "\"\($0.name)\"" }.joined(separator: ", ")
        return ContractViolation(
            .unknown, field: path + name, wanted: fields.count > 16 ? names + ", …" : names, found: "an undeclared field")
    }
}

extension ContractViolation: CustomStringConvertible {
    /// The violation as a sentence for people.
    package var description: String {
        switch kind {
        case .missing: "field \"\(field)\" wants \(wanted), got nothing"
        case .unknown: "field \"\(field)\" is not declared; declared are \(wanted)"
        case .mismatch: "field \"\(field)\" wants \(wanted), got \(found)"
        }
    }

    /// All sentences in one line, at most 20 of them.
    package static func summary(of violations: [ContractViolation]) -> String {
        let shown = violations.prefix(20).map(\.description).joined(separator: "; ")
        return violations.count > 20 ? "\(shown); and \(violations.count - 20) more" : shown
    }
}
