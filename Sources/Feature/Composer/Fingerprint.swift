// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
import Hashing
import JSON

/// What makes a version what it is: equal fingerprints mean the same image and the same contract.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    /// `sha256:` and 64 hexadecimal digits.
    package let description: String

    /// - Parameters:
    ///   - runtime: the runtime's image by digest; nil where the model runs elsewhere.
    ///   - source: the digest of the source's content; nil where there is none.
    package init(runtime: String?, source: String?, install: String?, signature: Signature) {
        // Each part has its name, so that no part can pass for another; the runtime's name may move, its digest may not.
        let digest = runtime.map { $0.split(separator: "@").last.map(String.init) ?? $0 }
        let parts: JSONValue = .object([
            "runtime": digest.map { .string($0) } ?? .null, "source": source.map { .string($0) } ?? .null,
            "install": install.map { .string($0) } ?? .null, "signature": .string(String(decoding: signature.json(), as: UTF8.self)),
        ])
        description = "sha256:" + SHA256.hex(of: parts.json())
    }
}
