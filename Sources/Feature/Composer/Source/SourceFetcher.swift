// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import Foundation
import Hashing
import OCI
import Transport

/// A source that was fetched: its digest, and its files.
struct FetchedSource: Sendable {
    var digest: String
    /// Bytes as they were fetched.
    var fetchedBytes: UInt64
    var tree: FileTree
}

/// Fetches sources: whole, checked and bounded.
struct SourceFetcher: Sendable {
    let transport: CurlTransport
    let settings: ComposerSettings

    /// The digest of a source's content. Nothing is fetched for files at hand, nor where the digest is given.
    func digest(of spec: SourceSpec) async throws(ComposerError) -> String {
        switch spec {
        case .configMap(let files): return SourceFetcher.digest(of: files)
        case .external: return SourceFetcher.digest(of: [:])
        case .http(let url, let sha256?, _):
            _ = try SourceURL(parsing: url)
            return try SourceFetcher.checked(sha256)
        case .http(let url, nil, let credentials):
            var hash = SHA256()
            _ = try await download(try SourceURL(parsing: url), credentials) { hash.update($0) }
            return "sha256:" + hash.finishHex()
        case .oci(let text, let keychain):
            do {
                let reference = try ImageReference(parsing: text)
                if let digest = reference.digest { return "\(digest)" }
                return "\(try await client(keychain).resolve(reference).digest)"
            } catch {
                throw ComposerError(any: error, on: .source)
            }
        }
    }

    /// Everything in a source, unpacked into a spool file.
    /// - Parameter pinned: the digest that was resolved before. An artifact is fetched by it, wherever its tag points now.
    func fetch(_ spec: SourceSpec, pinned: String) async throws(ComposerError) -> FetchedSource {
        do {
            switch spec {
            case .configMap(let files): return try take(files)
            case .http(let url, let sha256, let credentials): return try await take(url, sha256, credentials)
            case .oci(let text, let keychain): return try await take(artifact: text, Digest(parsing: pinned), keychain)
            case .external: throw ComposerError(.sourceInvalid, "the model runs elsewhere and has no files to make an image of")
            }
        } catch {
            throw ComposerError(any: error, on: .source)
        }
    }

    /// The digest of files at hand: of their names, lengths and bytes, in the order of their names.
    static func digest(of files: [String: [UInt8]]) -> String {
        var hash = SHA256()
        for name in files.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let bytes = files[name] ?? []
            hash.update(Array("\(name.utf8.count) \(name) \(bytes.count) ".utf8))
            hash.update(bytes)
        }
        return "sha256:" + hash.finishHex()
    }

    private static func checked(_ sha256: String) throws(ComposerError) -> String {
        let text = sha256.lowercased()
        do throws(ReferenceError) {
            return "\(try Digest(parsing: text.hasPrefix("sha256:") ? text : "sha256:" + text))"
        } catch {
            throw ComposerError(.sourceInvalid, "the source's sha256: \(error.message)")
        }
    }

    private func take(_ files: [String: [UInt8]]) throws -> FetchedSource {
        var builder = try builder()
        var bytes: UInt64 = 0
        for (name, content) in files {
            try builder.beginFile(name, isExecutable: false)
            try builder.append(content)
            builder.endFile()
            bytes += UInt64(content.count)
        }
        return FetchedSource(digest: SourceFetcher.digest(of: files), fetchedBytes: bytes, tree: try builder.finish())
    }

    private func take(_ text: String, _ sha256: String?, _ credentials: SourceCredentials) async throws -> FetchedSource {
        let url = try SourceURL(parsing: text)
        let wanted = try sha256.map { try SourceFetcher.checked($0) }
        var hash = SHA256()
        var unpacker = unpacker(singleName: url.fileName, into: try builder())
        var failure: (any Error)?
        let size = try await download(url, credentials) { chunk in
            hash.update(chunk)
            guard failure == nil else { return }
            // Where the digest is known, a wrong one is the better reason, and it shows only at the end.
            do {
                try unpacker.take(chunk)
            } catch  where wanted != nil {
                failure = error
            }
        }
        let found = "sha256:" + hash.finishHex()
        if let wanted, wanted != found {
            throw ComposerError(.sourceDigestMismatch, "\(url.description): wanted \(wanted), found \(found)")
        }
        if let failure { throw failure }
        return FetchedSource(digest: found, fetchedBytes: size, tree: try await unpacker.finish().finish())
    }

    private func builder() throws(ComposerError) -> FileTreeBuilder {
        try FileTreeBuilder(in: settings.spoolFolder, limits: settings.limits)
    }

    private func unpacker(singleName: String?, into builder: FileTreeBuilder) -> SourceUnpacker {
        SourceUnpacker(into: builder, singleName: singleName, limits: settings.limits, folder: settings.spoolFolder)
    }

    /// Reads a whole body, a piece at a time, and gives its length.
    private func download(
        _ url: SourceURL, _ credentials: SourceCredentials, _ take: ([UInt8]) throws -> Void
    ) async throws(ComposerError) -> UInt64 {
        var request = TransportRequest(url: url.text, timeouts: Timeouts(connect: .seconds(10), idle: .seconds(60)), maxRedirects: 10)
        request.headers = SourceFetcher.headers(credentials)
        do {
            let response = try await transport.send(request)
            guard response.status == 200 else { throw SourceFetcher.refusal(response.status, url) }
            let limit = settings.limits.fetchedBytes
            if let length = response.header("Content-Length").flatMap({ UInt64($0) }), length > limit {
                throw SourceFetcher.tooLarge(url, limit)
            }
            var size: UInt64 = 0
            for try await chunk in response.body {
                size += UInt64(chunk.count)
                guard size <= limit else { throw SourceFetcher.tooLarge(url, limit) }
                try take(chunk)
            }
            return size
        } catch {
            throw ComposerError(any: error, on: .source)
        }
    }

    private static func headers(_ credentials: SourceCredentials) -> [Header] {
        switch credentials {
        case .none: []
        case .basic(let user, let password): [Header("Authorization", "Basic " + Data("\(user):\(password)".utf8).base64EncodedString())]
        case .bearer(let token): [Header("Authorization", "Bearer " + token)]
        }
    }

    private static func tooLarge(_ url: SourceURL, _ limit: UInt64) -> ComposerError {
        ComposerError(.sourceTooLarge, "\(url.description): more than \(limit) bytes")
    }

    private static func refusal(_ status: Int, _ url: SourceURL) -> ComposerError {
        let reason: ComposerError.Reason =
            switch status {
            case 401, 403, 407: .sourceDenied
            case 404, 410: .sourceNotFound
            case 408, 425, 429, 500...: .sourceUnreachable
            default: .sourceInvalid
            }
        return ComposerError(reason, "\(url.description): wanted status 200, found \(status)")
    }
}

// Artifacts in registries.
extension SourceFetcher {
    private func client(_ keychain: Keychain) -> RegistryClient {
        // The operator's own credentials stay out: a source may read what its own secret opens, and nothing more.
        RegistryClient(transport: transport, settings: settings.registry, keychain: keychain)
    }

    /// Each layer is an archive, or a file that its title names.
    private func take(artifact text: String, _ pinned: Digest, _ keychain: Keychain) async throws -> FetchedSource {
        let reference = ImageReference(try ImageReference(parsing: text).repository, digest: pinned)
        let client = client(keychain)
        var fetched = try await client.manifest(reference)
        let digest = "\(fetched.descriptor.digest)"
        if case .index(let index) = fetched.document {
            guard let chosen = index.manifest(for: .linuxAMD64) ?? (index.manifests.count == 1 ? index.manifests.first : nil) else {
                throw ComposerError(.sourceInvalid, "artifact \(reference) is an index without one for \(Platform.linuxAMD64)")
            }
            fetched = try await client.manifest(ImageReference(reference.repository, digest: chosen.digest))
        }
        guard case .image(let manifest) = fetched.document else {
            throw ComposerError(.sourceInvalid, "artifact \(reference) is an index in an index")
        }
        guard manifest.layerSize >= 0, UInt64(manifest.layerSize) <= settings.limits.fetchedBytes else {
            throw ComposerError(
                .sourceTooLarge, "artifact \(reference): \(manifest.layerSize) bytes, at most \(settings.limits.fetchedBytes) are taken")
        }
        var builder = try builder()
        for layer in manifest.layers where layer.mediaType != MediaType.ociEmpty {
            builder = try await take(layer, of: reference, from: client, into: builder)
        }
        return FetchedSource(digest: digest, fetchedBytes: UInt64(manifest.layerSize), tree: try builder.finish())
    }

    private func take(
        _ layer: Descriptor, of reference: ImageReference, from client: RegistryClient, into builder: FileTreeBuilder
    ) async throws -> FileTreeBuilder {
        let title = layer.annotations["org.opencontainers.image.title"]
        let isFolder = layer.annotations["io.deis.oras.content.unpack"] == "true"
        var builder = builder
        if let title, !isFolder, !layer.mediaType.hasPrefix("application/vnd.oci.image.layer.") {
            // A file that names itself is kept as it is, even one that is an archive.
            try builder.beginFile(title, isExecutable: false)
            try await read(layer, of: reference, from: client) { try builder.append($0) }
            builder.endFile()
            return builder
        }
        var unpacker = unpacker(singleName: title, into: builder)
        try await read(layer, of: reference, from: client) { try unpacker.take($0) }
        return try await unpacker.finish()
    }

    /// Reads a whole layer, a piece at a time. Swift 6.3's optimiser crashes on the function above if this is inlined there.
    @inline(never)
    private func read(
        _ layer: Descriptor, of reference: ImageReference, from client: RegistryClient, _ take: ([UInt8]) throws -> Void
    ) async throws {
        for try await chunk in try await client.blob(layer, in: reference.repository) { try take(chunk) }
    }
}
