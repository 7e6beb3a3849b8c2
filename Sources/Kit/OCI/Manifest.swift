// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// An image, or another artifact, as a configuration and layers.
package struct Manifest: JSONRecord {
    package var schemaVersion = 2
    package var mediaType: String?
    package var artifactType: String?
    package var config = Descriptor()
    package var layers: [Descriptor] = []
    package var subject: Descriptor?
    package var annotations: [String: String] = [:]

    package init() {}

    /// An OCI image.
    package init(config: Descriptor, layers: [Descriptor], annotations: [String: String] = [:]) {
        mediaType = MediaType.ociManifest
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }

    package static let fields: JSONFields<Manifest> = [
        .required("schemaVersion", \.schemaVersion), .init("mediaType", \.mediaType), .init("artifactType", \.artifactType),
        .required("config", \.config), .required("layers", \.layers), .init("subject", \.subject), .init("annotations", \.annotations),
    ]

    /// The bytes of all layers, as they are stored.
    package var layerSize: Int64 {
        layers.reduce(0) { sum, layer in
            // Sizes are a stranger's claim: a sum beyond all numbers is the largest one.
            let (next, overflow) = sum.addingReportingOverflow(layer.size)
            return overflow ? .max : next
        }
    }
}

/// Several images under one name, one for each platform.
package struct ImageIndex: JSONRecord {
    package var schemaVersion = 2
    package var mediaType: String?
    package var manifests: [Descriptor] = []

    package init() {}
    package static let fields: JSONFields<ImageIndex> = [
        .required("schemaVersion", \.schemaVersion), .init("mediaType", \.mediaType), .required("manifests", \.manifests),
    ]

    /// The image for a platform, where there is one.
    package func manifest(for platform: Platform) -> Descriptor? {
        manifests.first { $0.platform.map(platform.accepts) ?? false }
    }
}

/// A manifest as a registry gave it: proven by its digest, and read.
package struct FetchedManifest: Sendable {
    package enum Document: Sendable {
        case image(Manifest)
        case index(ImageIndex)
    }

    package let descriptor: Descriptor
    package let bytes: [UInt8]
    package let document: Document

    /// Reads a document of the media type that it says itself, or else that its header said.
    init(bytes: [UInt8], contentType: String?) throws(JSONError) {
        let declared = try Preamble.decode(json: bytes)
        let header = contentType.map { String($0.prefix { $0 != ";" }) }
        let type = declared.mediaType ?? header ?? MediaType.ociManifest
        if [MediaType.ociIndex, MediaType.dockerList].contains(type) || (declared.mediaType == nil && declared.hasManifests) {
            document = .index(try ImageIndex.decode(json: bytes))
        } else {
            document = .image(try Manifest.decode(json: bytes))
        }
        descriptor = Descriptor(mediaType: type, digest: Digest(of: bytes), size: Int64(bytes.count))
        self.bytes = bytes
        let named =
            switch document {
            case .image(let manifest): [manifest.config] + manifest.layers
            case .index(let index): index.manifests
            }
        if let wrong = named.first(where: { $0.size < 0 }) {
            throw JSONError("wanted a size of 0 or more for \(wrong.digest), found \(wrong.size)")
        }
    }

    /// What has to be known before the rest can be read.
    private struct Preamble: JSONRecord {
        var mediaType: String?
        var manifests: [JSONValue] = []
        static let fields: JSONFields<Preamble> = [.init("mediaType", \.mediaType), .init("manifests", \.manifests)]
        var hasManifests: Bool { !manifests.isEmpty }
    }
}
