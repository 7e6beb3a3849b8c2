// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why a text is not the YAML that was wanted, and where in it.
package struct YamlError: Error, Equatable, CustomStringConvertible {
    /// What a caller may want to tell apart.
    package enum Kind: Equatable, Sendable {
        /// The text breaks YAML's grammar or its encoding.
        case syntax
        /// The text is YAML, but has no JSON value: a key that is no string, a tag of its own, a number without end.
        case unsupported
        /// One key stands twice in a mapping.
        case duplicateKey
        /// An alias names no anchor that was complete before it.
        case unknownAlias
        /// The text is larger, deeper, or grows further than the limits allow.
        case tooLarge
    }

    package var kind: Kind
    package var message: String
    /// Counted from 1.
    package var line: Int
    /// Counted from 1.
    package var column: Int

    package init(_ kind: Kind, _ message: String, line: Int, column: Int) {
        self.kind = kind
        self.message = message
        self.line = line
        self.column = column
    }

    package var description: String { "line \(line), column \(column): \(message)" }
}
