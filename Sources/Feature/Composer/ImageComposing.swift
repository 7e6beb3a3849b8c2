// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import OCI

/// Makes images of models. What the controllers call; they never wait for a build.
package protocol ImageComposing: Sendable {
    /// The runtime's image by digest, with its config. Kept for a minute. Throws a `ComposerError`.
    func resolveRuntime(image: String) async throws -> RuntimeImage
    /// The digest of a source's content. Nothing is fetched for a ConfigMap, nor where the digest is given. Throws a `ComposerError`.
    func resolveSource(_ spec: SourceSpec) async throws -> ResolvedSource
    /// Begins a build unless one with the order's key was begun.
    func start(_ order: BuildOrder)
    /// How far the build with the key is; nil when none was begun, or it was forgotten.
    func progress(of key: String) -> BuildProgress?
    /// Ends the build if it runs, and forgets it.
    func cancel(_ key: String)
    /// Deletes an image; one that is not there is deleted.
    func deleteImage(repository: String, digest: String) async throws
    /// The keys of builds whose progress changed.
    var changes: AsyncStream<String> { get }
}

/// A runtime's image, as its registry has it now.
package struct RuntimeImage: Sendable, Equatable {
    /// By digest.
    package var reference: ImageReference

    package init(reference: ImageReference) { self.reference = reference }
}

/// A source, as far as its content is known.
package struct ResolvedSource: Sendable, Equatable {
    /// `sha256:…` of the content.
    package var digest: String

    package init(digest: String) { self.digest = digest }
}

/// Where a model's files are fetched from.
package enum SourceSpec: Sendable, Equatable {
    case configMap(files: [String: [UInt8]])
    case http(url: String, sha256: String?, credentials: SourceCredentials)
    case oci(reference: String, keychain: Keychain)
    case external
}

/// How a web server is told who asks.
package enum SourceCredentials: Sendable, Equatable {
    case none
    case basic(user: String, password: String)
    case bearer(String)
}

/// How far a build is.
package enum BuildProgress: Sendable, Equatable {
    case queued
    case running([String])
    case finished(BuiltImage)
    case failed(ComposerError, log: [String])
}

/// An image that was pushed.
package struct BuiltImage: Sendable, Equatable {
    package var repository: String
    package var tag: String
    package var digest: String
    /// Bytes of all layers, as the registry holds them.
    package var size: Int64
    package var log: [String]
    package var seconds: Double

    package init(repository: String, tag: String, digest: String, size: Int64, log: [String], seconds: Double) {
        self.repository = repository
        self.tag = tag
        self.digest = digest
        self.size = size
        self.log = log
        self.seconds = seconds
    }
}

/// What to build: everything pinned, nothing left to look up but the bytes.
package struct BuildOrder: Sendable, Equatable {
    /// Names the build: `namespace/version`.
    package var key: String
    package var model: String
    package var version: Int
    /// `registry/prefix/namespace/model`; the tag is the version's number.
    package var repository: String
    /// By digest.
    package var runtimeImage: String
    package var source: SourceSpec
    package var sourceDigest: String
    package var signature: Signature
    package var fingerprint: String

    package init(
        key: String, model: String, version: Int, repository: String, runtimeImage: String, source: SourceSpec, sourceDigest: String,
        signature: Signature, fingerprint: String
    ) {
        self.key = key
        self.model = model
        self.version = version
        self.repository = repository
        self.runtimeImage = runtimeImage
        self.source = source
        self.sourceDigest = sourceDigest
        self.signature = signature
        self.fingerprint = fingerprint
    }
}

/// Why an image cannot be made.
package struct ComposerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed list that `ModelVersion.status.failure.reason` takes its values from, and the reasons that heal.
    package enum Reason: String, Sendable, CaseIterable {
        case sourceNotFound = "SourceNotFound"
        case sourceDenied = "SourceDenied"
        case sourceDigestMismatch = "SourceDigestMismatch"
        case sourceTooLarge = "SourceTooLarge"
        case sourceInvalid = "SourceInvalid"
        case sourceUnreachable = "SourceUnreachable"
        case contractInvalid = "ContractInvalid"
        case contractMissing = "ContractMissing"
        case runtimeNotFound = "RuntimeNotFound"
        case registryDenied = "RegistryDenied"
        case registryUnreachable = "RegistryUnreachable"
        case interrupted = "Interrupted"

        /// Whether trying again may help, with nobody doing anything.
        package var canHeal: Bool {
            switch self {
            case .sourceUnreachable, .registryUnreachable, .interrupted: true
            default: false
            }
        }
    }

    package var reason: Reason
    /// What was wanted and what was found.
    package var message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    package var canHeal: Bool { reason.canHeal }
    package var description: String { "\(reason.rawValue): \(message)" }
}
