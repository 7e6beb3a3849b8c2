// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
import Hashing
package import HydroAPI
import JSON

/// What makes a version's image and contract, as one digest: the same fingerprint, the same version.
package enum VersionFingerprint {
    private struct Parts: JSONRecord {
        var runtime: String?
        var `protocol`: RuntimeProtocol?
        var port: Int?
        var source: String?
        var install: String?
        var signature: Signature?
        static let fields: JSONFields<Parts> = [
            .init("runtime", \.runtime), .init("protocol", \.protocol), .init("port", \.port), .init("source", \.source),
            .init("install", \.install), .init("signature", \.signature),
        ]
    }

    package static func of(runtime: ResolvedRuntime?, source: ModelVersion.Source, install: Install?, signature: Signature?) -> String {
        var parts = Parts()
        // By digest alone: the same image under another name is the same image.
        parts.runtime = runtime.map { $0.image.split(separator: "@").last.map(String.init) ?? $0.image }
        parts.protocol = runtime?.protocol
        parts.port = runtime?.port
        parts.source = source.digest ?? source.kind.rawValue
        parts.install = install?.command
        parts.signature = signature
        return "sha256:" + SHA256.hex(of: parts.json())
    }

    /// Of a version's own spec; another than it was given means that somebody changed the spec.
    package static func of(_ version: ModelVersion) -> String {
        let spec = version.spec
        return of(runtime: spec.runtime, source: spec.source, install: spec.install, signature: spec.signature)
    }
}
