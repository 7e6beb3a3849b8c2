// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
package import Transport

/// A client of registries that speak the distribution API, Docker's `docker-registry` 2.x and all after it.
///
/// *Guarantees*: what is read is proven by its digest before it is believed; what is not idempotent is not sent twice;
/// a registry is spoken to in the clear only where the settings say so. Errors say what was asked of whom.
package struct RegistryClient: Sendable {
    /// The most bytes of a manifest or configuration that are read.
    package static let documentLimit = 4 << 20

    let session: RegistrySession

    /// A client with credentials. Tokens are kept for as long as the client, or a copy of it, lives.
    package init(transport: CurlTransport, settings: RegistrySettings = RegistrySettings(), keychain: Keychain = .anonymous) {
        session = RegistrySession(
            transport: transport, settings: settings, keychain: keychain, auth: RegistryAuth(clock: settings.clock))
    }

    /// The digest, size and type that a reference has now.
    package func resolve(_ reference: ImageReference) async throws(RegistryError) -> Descriptor {
        let response = try await session.send(manifestCall("HEAD", reference), wanting: [200, 405])
        // (A digest that cannot be read is none: the manifest itself tells, below.)
        if response.status == 200, let text = response.header("Docker-Content-Digest"), let digest = try? Digest(parsing: text),
            let size = response.header("Content-Length").flatMap({ Int64($0) }), let type = response.header("Content-Type"),
            reference.digest == nil || reference.digest == digest
        {
            return Descriptor(mediaType: String(type.prefix { $0 != ";" }), digest: digest, size: size)
        }
        // Some registries leave these headers out, or do not answer HEAD: the document itself tells.
        return try await manifest(reference).descriptor
    }

    /// A manifest or index, proven where the reference has a digest.
    package func manifest(_ reference: ImageReference) async throws(RegistryError) -> FetchedManifest {
        let response = try await session.send(manifestCall("GET", reference), wanting: [200])
        let host = reference.repository.registry
        let fetched: FetchedManifest
        do {
            let bytes = try await response.collect(upTo: RegistryClient.documentLimit)
            fetched = try FetchedManifest(bytes: bytes, contentType: response.header("Content-Type"))
        } catch let error as JSONError {
            throw .invalidAnswer(host: host, reason: "manifest \(reference): \(error)")
        } catch {
            throw RegistryError(error, at: host)
        }
        if let wanted = reference.digest, wanted != fetched.descriptor.digest {
            throw .digestMismatch(wanted: wanted, found: "\(fetched.descriptor.digest)")
        }
        return fetched
    }

    /// The image that a reference means on a platform: through an index, if there is one, to its manifest and configuration.
    package func image(_ reference: ImageReference, for platform: Platform = .linuxAMD64) async throws(RegistryError) -> PulledImage {
        var fetched = try await manifest(reference)
        if case .index(let index) = fetched.document {
            guard let chosen = index.manifest(for: platform) else {
                throw .noPlatform(platform, found: index.manifests.compactMap { $0.platform.map { "\($0)" } })
            }
            fetched = try await manifest(ImageReference(reference.repository, digest: chosen.digest))
        }
        guard case .image(let manifest) = fetched.document else {
            throw .invalidAnswer(host: reference.repository.registry, reason: "an index in an index")
        }
        let bytes = try await document(manifest.config, in: reference.repository)
        do throws(JSONError) {
            return PulledImage(
                repository: reference.repository, descriptor: fetched.descriptor, manifest: manifest,
                config: try ImageConfig(json: bytes))
        } catch {
            throw .invalidAnswer(host: reference.repository.registry, reason: "configuration of \(reference): \(error)")
        }
    }

    /// Gives a manifest a tag, or only its digest where the reference has one. The blobs that it names must be there.
    package func push(
        _ manifest: [UInt8], mediaType: String = MediaType.ociManifest, as reference: ImageReference
    ) async throws(RegistryError) -> Digest {
        var call = manifestCall("PUT", reference)
        call.scopes = [.push(reference.repository)]
        call.headers = [Header("Content-Type", mediaType)]
        call.body = .bytes(manifest)
        let response = try await session.send(call, wanting: [201, 202, 200])
        let digest = Digest(of: manifest)
        if let said = response.header("Docker-Content-Digest"), said != "\(digest)" {
            throw .digestMismatch(wanted: digest, found: said)
        }
        return digest
    }

    /// Deletes a manifest and all its tags. False where it was not there.
    package func deleteManifest(_ digest: Digest, in repository: Repository) async throws(RegistryError) -> Bool {
        var call = manifestCall("DELETE", ImageReference(repository, digest: digest))
        call.scopes = [.delete(repository)]
        return try await session.send(call, wanting: [202, 200, 404]).status != 404
    }

    /// The tags of a repository, in the registry's order; at most `limit`.
    package func tags(of repository: Repository, limit: Int = 10_000) async throws(RegistryError) -> [String] {
        var tags: [String] = []
        var next: String? = url(repository, "tags/list?n=1000")
        while let page = next, tags.count < limit {
            let call = RegistryCall(
                method: "GET", url: page, repository: repository, scopes: [.pull(repository)], resource: .tags,
                subject: "tags of \(repository)")
            let response = try await session.send(call, wanting: [200])
            do {
                tags += try TagList.decode(json: try await response.collect(upTo: RegistryClient.documentLimit)).tags
            } catch let error as JSONError {
                throw .invalidAnswer(host: repository.registry, reason: "tags of \(repository): \(error)")
            } catch {
                throw RegistryError(error, at: repository.registry)
            }
            next = try nextPage(response.header("Link"), in: repository)
        }
        return Array(tags.prefix(limit))
    }

    /// `</v2/name/tags/list?n=…&last=…>; rel="next"`
    private func nextPage(_ link: String?, in repository: Repository) throws(RegistryError) -> String? {
        guard let link, link.contains("rel=\"next\"") || link.contains("rel=next"), let open = link.firstIndex(of: "<"),
            let close = link.firstIndex(of: ">"), open < close
        else { return nil }
        return try absolute(String(link[link.index(after: open)..<close]), in: repository)
    }

    private func manifestCall(_ method: String, _ reference: ImageReference) -> RegistryCall {
        RegistryCall(
            method: method, url: url(reference.repository, "manifests/\(reference.locator)"), repository: reference.repository,
            scopes: [.pull(reference.repository)], headers: [Header("Accept", MediaType.manifests.joined(separator: ", "))],
            resource: .manifest, subject: "manifest \(reference)", maxRedirects: method == "GET" ? 3 : 0)
    }

    func url(_ repository: Repository, _ rest: String) -> String {
        "\(session.settings.scheme(of: repository.registry))://\(repository.host)/v2/\(repository.name)/\(rest)"
    }

    /// Where a `Location` leads, relative or absolute.
    func absolute(_ location: String, in repository: Repository) throws(RegistryError) -> String {
        let scheme = session.settings.scheme(of: repository.registry)
        if location.hasPrefix("/"), !location.hasPrefix("//") { return "\(scheme)://\(repository.host)\(location)" }
        let host = RegistrySession.host(of: location)
        // A registry behind a proxy that ends TLS often thinks itself plain.
        if host == repository.host, let rest = location.firstRange(of: "://")?.upperBound { return "\(scheme)://\(location[rest...])" }
        guard location.hasPrefix("https://") || (location.hasPrefix("http://") && session.settings.plainHTTP.contains(host)) else {
            throw .invalidAnswer(host: repository.registry, reason: "it leads to \"\(host)\", which is not on https")
        }
        return location
    }

    private struct TagList: JSONRecord {
        var tags: [String] = []
        static let fields: JSONFields<TagList> = [.init("tags", \.tags)]
    }
}

/// An image of one platform, without its layers' content.
package struct PulledImage: Sendable {
    package let repository: Repository
    /// Of the manifest.
    package let descriptor: Descriptor
    package let manifest: Manifest
    package let config: ImageConfig

    /// The image by its digest.
    package var reference: ImageReference { ImageReference(repository, digest: descriptor.digest) }
}
