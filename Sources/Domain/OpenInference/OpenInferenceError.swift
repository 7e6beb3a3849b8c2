// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why a message breaks the Open Inference Protocol. Names the tensor where one is meant.
package struct OpenInferenceError: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }

    static func of(tensor name: String, _ problem: String) -> OpenInferenceError {
        OpenInferenceError("tensor \"\(name)\": \(problem)")
    }
}
