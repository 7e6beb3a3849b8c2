// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import JSON
package import KubeCore

/// One immutable build of a model; its spec holds everything resolved.
package struct ModelVersion: KubeResource {
    package static let kind = Hydro.kind("ModelVersion", "modelversions")
    package var metadata = ObjectMeta()
    package var spec = Spec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<ModelVersion> = [
        .init("metadata", \.metadata), .required("spec", \.spec), .init("status", \.status),
    ]

    package var isReleased: Bool { status.phase == .released }

    package enum Phase: String, Sendable, JSONCodable { case assembling = "Assembling", released = "Released", failed = "Failed" }

    package struct Spec: JSONRecord, Hashable {
        package var model = ""
        package var version = 0
        package var fingerprint = ""
        package var runtime: ResolvedRuntime?
        package var source = Source()
        package var install: Install?
        package var signature: Signature?
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .required("model", \.model), .required("version", \.version), .required("fingerprint", \.fingerprint),
            .init("runtime", \.runtime), .required("source", \.source), .init("install", \.install), .init("signature", \.signature),
        ]
    }

    /// A source as it was resolved: what floats in a Model is pinned here.
    package struct Source: JSONRecord, Hashable {
        package enum Kind: String, Sendable, JSONCodable { case configMap, http, s3, git, oci, external }
        package var kind = Kind.external
        /// The ConfigMap's name, the URL or the reference.
        package var uri: String?
        /// `sha256:…` of the content.
        package var digest: String?
        package var secretName: String?
        package init() {}
        package static let fields: JSONFields<Source> = [
            .required("kind", \.kind), .init("uri", \.uri), .init("digest", \.digest), .init("secretName", \.secretName),
        ]
    }

    package struct Status: JSONRecord {
        package var observedGeneration: Int64?
        package var phase: Phase?
        package var image: Image?
        package var failure: Failure?
        package var log: [String] = []
        package var startedAt: Timestamp?
        package var finishedAt: Timestamp?
        package var seconds: Double?
        package var attempts: Int?
        package var conditions: [Condition] = []
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("observedGeneration", \.observedGeneration), .init("phase", \.phase), .init("image", \.image),
            .init("failure", \.failure), .init("log", \.log), .init("startedAt", \.startedAt), .init("finishedAt", \.finishedAt),
            .init("seconds", \.seconds), .init("attempts", \.attempts), .init("conditions", \.conditions),
        ]
    }

    /// Where the image lies, as the operator pushed it.
    package struct Image: JSONRecord, Hashable {
        package var repository = ""
        package var tag = ""
        package var digest = ""
        /// Bytes, all layers together.
        package var size: Int64?
        package init() {}
        package static let fields: JSONFields<Image> = [
            .init("repository", \.repository), .init("tag", \.tag), .init("digest", \.digest), .init("size", \.size),
        ]

        /// `repository@digest`, as pods pull it.
        package var reference: String { "\(repository)@\(digest)" }
    }

    package struct Failure: JSONRecord, Hashable {
        package var reason = ""
        package var message = ""
        package var log: [String] = []
        package init() {}
        package init(reason: String, message: String, log: [String] = []) {
            self.reason = reason
            self.message = message
            self.log = log
        }
        package static let fields: JSONFields<Failure> = [
            .init("reason", \.reason), .init("message", \.message), .init("log", \.log),
        ]
    }
}
