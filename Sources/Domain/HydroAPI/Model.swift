// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import JSON
package import KubeCore

/// A named model: where its files come from, how it runs, what goes in and what comes out.
package struct Model: KubeResource {
    package static let kind = Hydro.kind("Model", "models")
    package var metadata = ObjectMeta()
    package var spec = Spec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<Model> = [.init("metadata", \.metadata), .required("spec", \.spec), .init("status", \.status)]

    package struct Spec: JSONRecord {
        package var runtime: RuntimeChoice?
        package var source = ModelSource()
        package var install: Install?
        package var signature: Signature?
        package var metadata: [String: String] = [:]
        package var versionHistoryLimit = 10
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .init("runtime", \.runtime), .required("source", \.source), .init("install", \.install), .init("signature", \.signature),
            .init("metadata", \.metadata), .init("versionHistoryLimit", \.versionHistoryLimit),
        ]
    }

    package struct Status: JSONRecord {
        package var observedGeneration: Int64?
        /// The highest number ever given.
        package var latestVersion: Int?
        package var latestReleasedVersion: Int?
        package var image: String?
        package var fingerprint: String?
        package var conditions: [Condition] = []
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("observedGeneration", \.observedGeneration), .init("latestVersion", \.latestVersion),
            .init("latestReleasedVersion", \.latestReleasedVersion), .init("image", \.image), .init("fingerprint", \.fingerprint),
            .init("conditions", \.conditions),
        ]
    }
}

/// A Runtime by name, or an image that is none.
package struct RuntimeChoice: JSONRecord, Hashable {
    package var name: String?
    package var image: String?
    package var `protocol`: RuntimeProtocol?
    package var port: Int?
    package init() {}
    package static let fields: JSONFields<RuntimeChoice> = [
        .init("name", \.name), .init("image", \.image), .init("protocol", \.protocol), .init("port", \.port),
    ]
}

/// A command that must run to complete the image.
package struct Install: JSONRecord, Hashable {
    package var command = ""
    package init() {}
    package static let fields: JSONFields<Install> = [.required("command", \.command)]
}

/// Where a model's files come from: exactly one of these.
package struct ModelSource: JSONRecord, Hashable {
    package var configMap: LocalRef?
    package var http: HTTP?
    package var s3: S3?
    package var git: Git?
    package var oci: OCIArtifact?
    package var external: External?
    package init() {}
    package static let fields: JSONFields<ModelSource> = [
        .init("configMap", \.configMap), .init("http", \.http), .init("s3", \.s3), .init("git", \.git), .init("oci", \.oci),
        .init("external", \.external),
    ]

    /// The names of the sources that are given; exactly one is wanted.
    package var given: [String] {
        let all = [
            ("configMap", configMap != nil), ("http", http != nil), ("s3", s3 != nil), ("git", git != nil), ("oci", oci != nil),
            ("external", external != nil),
        ]
        return all.filter(\.1).map(\.0)
    }

    package struct HTTP: JSONRecord, Hashable {
        package var url = ""
        package var sha256: String?
        package var secretName: String?
        package init() {}
        package static let fields: JSONFields<HTTP> = [
            .required("url", \.url), .init("sha256", \.sha256), .init("secretName", \.secretName),
        ]
    }

    package struct S3: JSONRecord, Hashable {
        package var bucket = ""
        package var key = ""
        package init() {}
        package static let fields: JSONFields<S3> = [.init("bucket", \.bucket), .init("key", \.key)]
    }

    package struct Git: JSONRecord, Hashable {
        package var url = ""
        package init() {}
        package static let fields: JSONFields<Git> = [.init("url", \.url)]
    }

    package struct OCIArtifact: JSONRecord, Hashable {
        package var reference = ""
        package var secretName: String?
        package init() {}
        package static let fields: JSONFields<OCIArtifact> = [.required("reference", \.reference), .init("secretName", \.secretName)]
    }

    /// The model runs elsewhere and is only watched; a presence without fields.
    package struct External: JSONRecord, Hashable {
        package init() {}
        package static let fields: JSONFields<External> = []
    }
}
