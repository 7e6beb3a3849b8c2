// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI

/// Why a model cannot lead to a version, as far as its own words go.
package struct ModelRefusal: Error, Equatable, Sendable {
    package var reason: String
    package var message: String

    package init(_ reason: String, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The first thing that a person must mend, or nil.
    package static func of(_ model: Model) -> ModelRefusal? {
        let problems = model.spec.problems()
        if !problems.isEmpty { return ModelRefusal("InvalidSpec", problems.joined(separator: "; ")) }
        let source = model.spec.source
        if source.s3 != nil || source.git != nil {
            return ModelRefusal(
                "UnsupportedSource",
                "wants a source of configMap, http, oci or external, got \(source.given.joined()), which is not supported yet")
        }
        if model.spec.install != nil {
            return ModelRefusal("UnsupportedSource", "wants no install command, got one: they are not supported yet")
        }
        return nil
    }
}
