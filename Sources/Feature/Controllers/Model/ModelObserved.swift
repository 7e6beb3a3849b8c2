// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI

/// All that a pass over a model knows of the world.
package struct ModelObserved: Sendable {
    /// The model's versions, lowest number first.
    package var versions: [ModelVersion] = []
    package var inputs: Inputs
    /// Names of versions that a Servable runs or an Application names.
    package var used: Set<String> = []

    /// What the model's own words resolve to.
    package enum Inputs: Sendable {
        /// The same that led to the latest version: nothing was resolved again.
        case unchanged
        /// Others, resolved.
        case resolved(Resolution)
        /// A person must mend something first.
        case unusable(reason: String, message: String)
        /// The world must mend itself first.
        case unreachable(reason: String, message: String)
    }

    /// Everything pinned.
    package struct Resolution: Sendable {
        package var inputs: String
        package var runtime: ResolvedRuntime?
        package var source: ModelVersion.Source
        package var fingerprint: String

        package init(inputs: String, runtime: ResolvedRuntime?, source: ModelVersion.Source, fingerprint: String) {
            self.inputs = inputs
            self.runtime = runtime
            self.source = source
            self.fingerprint = fingerprint
        }
    }

    package init(versions: [ModelVersion], inputs: Inputs, used: Set<String> = []) {
        self.versions = versions.sorted { $0.spec.version < $1.spec.version }
        self.inputs = inputs
        self.used = used
    }
}
