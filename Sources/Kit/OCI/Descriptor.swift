// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// The kinds of documents and blobs that registries tell apart.
package enum MediaType {
    package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    package static let ociIndex = "application/vnd.oci.image.index.v1+json"
    package static let ociConfig = "application/vnd.oci.image.config.v1+json"
    package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    package static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let ociEmpty = "application/vnd.oci.empty.v1+json"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    package static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

    /// What this client can read as a manifest, for `Accept`.
    static let manifests = [ociManifest, ociIndex, dockerManifest, dockerList]

    /// The same content under OCI's name.
    static func oci(_ type: String) -> String {
        switch type {
        case dockerManifest: ociManifest
        case dockerList: ociIndex
        case dockerConfig: ociConfig
        case dockerLayer: ociLayer
        case dockerLayerGzip: ociLayerGzip
        default: type
        }
    }
}

/// A pointer to content: what it is, how it is named and how long it is.
package struct Descriptor: JSONRecord, Hashable {
    package var mediaType = ""
    package var digest = Digest(of: [])
    package var size: Int64 = 0
    package var annotations: [String: String] = [:]
    package var platform: Platform?

    package init() {}

    package init(mediaType: String, digest: Digest, size: Int64, annotations: [String: String] = [:], platform: Platform? = nil) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.annotations = annotations
        self.platform = platform
    }

    package static let fields: JSONFields<Descriptor> = [
        .required("mediaType", \.mediaType), .required("digest", \.digest), .required("size", \.size),
        .init("annotations", \.annotations), .init("platform", \.platform),
    ]

    /// The same content under OCI's media type.
    package var asOCI: Descriptor {
        var copy = self
        copy.mediaType = MediaType.oci(mediaType)
        return copy
    }
}

/// What an image runs on.
package struct Platform: JSONRecord, Hashable {
    package var architecture = ""
    package var os = ""
    package var variant: String?

    package init() {}

    package init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }

    package static let linuxAMD64 = Platform(os: "linux", architecture: "amd64")

    package static let fields: JSONFields<Platform> = [
        .required("architecture", \.architecture), .required("os", \.os), .init("variant", \.variant),
    ]

    /// Whether an image for `other` runs here; a variant that is not asked for does not matter.
    func accepts(_ other: Platform) -> Bool {
        os == other.os && architecture == other.architecture && (variant == nil || variant == other.variant)
    }
}

extension Platform: CustomStringConvertible {
    package var description: String { "\(os)/\(architecture)" + (variant.map { "/" + $0 } ?? "") }
}
