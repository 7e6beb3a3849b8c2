// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON

/// Why a registry did not do what was asked.
package enum RegistryError: Error, Equatable, Sendable {
    /// No answer, or none that was whole, after all tries.
    case unreachable(host: String, reason: String)
    /// The registry said no.
    case refused(Refusal)
    /// Content is not what its digest says.
    case digestMismatch(wanted: Digest, found: String)
    /// An answer that makes no sense.
    case invalidAnswer(host: String, reason: String)
    /// An index without an image for the platform.
    case noPlatform(Platform, found: [String])
    /// An answer longer than what was asked for may be.
    case tooLarge(String)
    /// What was to be uploaded could not be produced.
    case contentFailed(String)
    case cancelled

    /// A registry's refusal.
    package struct Refusal: Equatable, Sendable {
        package var status: Int
        package var code: RegistryErrorCode
        /// The registry's own words, shortened.
        package var message: String
        /// What was asked: `manifest registry.example/name:tag`.
        package var subject: String
        package var host: String
    }

    /// The code of a refusal.
    package var code: RegistryErrorCode? {
        if case .refused(let refusal) = self { refusal.code } else { nil }
    }

    /// Whether trying again later may help: nothing has to be mended first.
    package var canHeal: Bool {
        switch self {
        case .unreachable, .cancelled: true
        case .refused(let refusal): refusal.status >= 500 || refusal.status == 429 || refusal.status == 408
        case .digestMismatch, .invalidAnswer: true
        case .noPlatform, .tooLarge, .contentFailed: false
        }
    }
}

extension RegistryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let host, let reason): "registry \(host) cannot be reached: \(reason)"
        case .refused(let refusal): refusal.description
        case .digestMismatch(let wanted, let found): "content is not what it should be: \(wanted) wanted, \(found) found"
        case .invalidAnswer(let host, let reason): "registry \(host) answered what makes no sense: \(reason)"
        case .noPlatform(let platform, let found):
            "no image for \(platform), only for \(found.isEmpty ? "none" : found.joined(separator: ", "))"
        case .tooLarge(let what): "too large: \(what)"
        case .contentFailed(let what): what
        case .cancelled: "cancelled"
        }
    }
}

extension RegistryError.Refusal: CustomStringConvertible {
    package var description: String {
        let said = message.isEmpty ? "" : ": \(message)"
        return "\(subject): registry \(host) answered \(status) \(code.rawValue)\(said)"
    }
}

/// The codes of the distribution specification, and one for all others.
package enum RegistryErrorCode: String, Sendable {
    case unauthorized = "UNAUTHORIZED"
    case denied = "DENIED"
    case manifestUnknown = "MANIFEST_UNKNOWN"
    case manifestInvalid = "MANIFEST_INVALID"
    case manifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
    case nameUnknown = "NAME_UNKNOWN"
    case nameInvalid = "NAME_INVALID"
    case blobUnknown = "BLOB_UNKNOWN"
    case blobUploadInvalid = "BLOB_UPLOAD_INVALID"
    case blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
    case digestInvalid = "DIGEST_INVALID"
    case sizeInvalid = "SIZE_INVALID"
    case tagInvalid = "TAG_INVALID"
    case unsupported = "UNSUPPORTED"
    case tooManyRequests = "TOOMANYREQUESTS"
    case unknown = "UNKNOWN"

    /// What a status means where the answer has no body, as to HEAD.
    init(status: Int, of resource: RegistryResource) {
        switch (status, resource) {
        case (401, _): self = .unauthorized
        case (403, _): self = .denied
        case (404, .manifest): self = .manifestUnknown
        case (404, .blob): self = .blobUnknown
        case (404, .upload): self = .blobUploadUnknown
        case (404, _): self = .nameUnknown
        case (405, _), (415, _): self = .unsupported
        case (429, _): self = .tooManyRequests
        default: self = .unknown
        }
    }
}

/// What a request is about.
enum RegistryResource: String {
    case manifest, blob, upload, tags, token
}

/// The body of a refusal. Registries agree on little more than this.
struct RegistryErrorBody: JSONRecord {
    var errors: [Entry] = []
    static let fields: JSONFields<RegistryErrorBody> = [.init("errors", \.errors)]

    struct Entry: JSONRecord {
        var code: String?
        var message: String?
        static let fields: JSONFields<Entry> = [.init("code", \.code), .init("message", \.message)]
    }
}
