// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why bytes are not the JSON that was wanted.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What stood there, and what was wanted instead.
    package var message: String
    /// The byte at which reading stopped, counted from 0.
    package var offset: Int
    /// Where in the document: `spec.stages[0].name`. Empty at the top.
    package var path: String

    package init(_ message: String, offset: Int = 0, path: String = "") {
        self.message = message
        self.offset = offset
        self.path = path
    }

    package var description: String {
        path.isEmpty ? "\(message) (byte \(offset))" : "\(path): \(message) (byte \(offset))"
    }

    /// The same error as seen from one level further out.
    package func inside(_ key: String) -> JSONError {
        var outer = self
        outer.path = path.isEmpty ? key : (path.hasPrefix("[") ? key + path : key + "." + path)
        return outer
    }
}
