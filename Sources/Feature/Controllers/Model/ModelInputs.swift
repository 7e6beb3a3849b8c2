// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
import Hashing
package import HydroAPI
package import JSON
import KubeCore

/// What a user gave that may lead to another version, before anything that floats is resolved.
///
/// While it stays the same, nothing is resolved again: a moved tag alone makes no version (`docs/decisions/0004-when-a-version-is-made.md`).
package struct ModelInputs: JSONRecord {
    package var runtime = Runtime.Spec()
    package var source = ModelSource()
    /// Of a ConfigMap, which is followed.
    package var contentDigest: String?
    package var install: Install?
    package var signature: Signature?

    package init() {}
    package static let fields: JSONFields<ModelInputs> = [
        .init("image", \.runtime.image), .init("protocol", \.runtime.protocol), .init("port", \.runtime.port), .init("source", \.source),
        .init("contentDigest", \.contentDigest), .init("install", \.install), .init("signature", \.signature),
    ]

    /// The annotation that records on a version which inputs led to it.
    package static let annotation = "hydrosphere.io/inputs"

    package var digest: String { String(SHA256.hex(of: json()).prefix(32)) }
}
