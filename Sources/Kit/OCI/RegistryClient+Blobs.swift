// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Transport

/// Content to upload, made anew for each try.
package typealias BlobContent = @Sendable () async throws -> any AsyncSequence<[UInt8], any Error> & Sendable

extension RegistryClient {
    /// A blob's bytes as they come. The stream fails at its end where digest or size are not what they should be.
    package func blob(_ descriptor: Descriptor, in repository: Repository) async throws(RegistryError) -> BlobStream {
        var call = blobCall("GET", descriptor.digest, repository)
        call.timeouts = RegistrySettings.longTimeouts
        call.maxRedirects = 5
        let response = try await session.send(call, wanting: [200])
        return BlobStream(response.body, descriptor, host: repository.registry)
    }

    /// A small blob, whole and proven.
    package func document(_ descriptor: Descriptor, in repository: Repository) async throws(RegistryError) -> [UInt8] {
        guard descriptor.size <= RegistryClient.documentLimit else {
            throw .tooLarge("blob of \(descriptor.size) bytes, at most \(RegistryClient.documentLimit) are read at once")
        }
        var bytes: [UInt8] = []
        do {
            for try await chunk in try await blob(descriptor, in: repository) { bytes += chunk }
        } catch {
            throw RegistryError(error, at: repository.registry)
        }
        return bytes
    }

    /// Whether a repository has a blob.
    package func hasBlob(_ digest: Digest, in repository: Repository) async throws(RegistryError) -> Bool {
        var call = blobCall("HEAD", digest, repository)
        call.maxRedirects = 5
        return try await session.send(call, wanting: [200, 404]).status == 200
    }

    /// Gives a repository a blob that another one of the same registry has. False where the registry would rather have it uploaded.
    package func mount(_ digest: Digest, from source: Repository, into repository: Repository) async throws(RegistryError) -> Bool {
        let query = RegistrySession.encoded([("mount", "\(digest)"), ("from", source.name)])
        var call = uploadCall("POST", url(repository, "blobs/uploads/?" + query), repository)
        call.scopes.append(.pull(source))
        call.subject = "mount of \(digest) from \(source.name) into \(repository)"
        let response = try await session.send(call, wanting: [201, 202])
        if response.status == 202, let location = response.header("Location") {
            var end = uploadCall("DELETE", try absolute(location, in: repository), repository)
            end.isRepeatable = false
            // The upload that was opened instead is not wanted; one that cannot be closed, the registry clears away itself.
            _ = try? await session.send(end, wanting: [204])
        }
        return response.status == 201
    }

    /// Uploads small content at once, unless it is there.
    package func upload(_ bytes: [UInt8], to repository: Repository) async throws(RegistryError) -> Digest {
        let digest = Digest(of: bytes)
        if try await hasBlob(digest, in: repository) { return digest }
        _ = try await repeating(digest, repository) { () async throws(RegistryError) in
            let location = try await self.openUpload(repository)
            try await self.close(location, digest, .bytes(bytes), repository)
            return (digest, Int64(bytes.count))
        }
        return digest
    }

    /// Uploads content of any size as it is made: in one stream, hashed on its way.
    ///
    /// The digest need not be known before. A try that fails on the way is begun again from the start of the content.
    package func upload(
        _ content: @escaping BlobContent, length: Int64? = nil, expecting wanted: Digest? = nil, to repository: Repository
    ) async throws(RegistryError) -> (digest: Digest, size: Int64) {
        try await repeating(wanted, repository) { () async throws(RegistryError) in
            let location = try await self.openUpload(repository)
            let counted: CountedStream
            do {
                counted = CountedStream(try await content())
            } catch {
                throw RegistryError(error, at: repository.registry)
            }
            let end = try await self.patch(location, counted, length, repository)
            let (digest, size) = counted.tally()
            if let wanted, wanted != digest { throw .digestMismatch(wanted: wanted, found: "\(digest)") }
            try await self.close(end, digest, .none, repository)
            return (digest, size)
        }
    }

    /// Brings a blob from one registry to another through memory, a piece at a time.
    package func copy(
        _ descriptor: Descriptor, from source: Repository, of other: RegistryClient, to repository: Repository
    ) async throws(RegistryError) {
        if try await hasBlob(descriptor.digest, in: repository) { return }
        _ = try await upload(
            { try await other.blob(descriptor, in: source) }, length: descriptor.size, expecting: descriptor.digest, to: repository)
    }

    /// Tries a whole upload again where it failed by accident. One whose end was not heard may be there already.
    private func repeating(
        _ digest: Digest?, _ repository: Repository,
        _ upload: () async throws(RegistryError) -> (digest: Digest, size: Int64)
    ) async throws(RegistryError) -> (digest: Digest, size: Int64) {
        var failures = 0
        while true {
            do throws(RegistryError) {
                return try await upload()
            } catch {
                failures += 1
                guard RegistrySession.mayPass(error) || error.code == .blobUploadUnknown, failures < session.settings.attempts else {
                    throw error
                }
                try await session.pause(after: failures, because: error)
            }
        }
    }

    private func openUpload(_ repository: Repository) async throws(RegistryError) -> String {
        var call = uploadCall("POST", url(repository, "blobs/uploads/"), repository)
        call.isRepeatable = false
        let response = try await session.send(call, wanting: [202])
        return try location(of: response, in: repository)
    }

    private func patch(
        _ location: String, _ content: CountedStream, _ length: Int64?, _ repository: Repository
    ) async throws(RegistryError) -> String {
        var call = uploadCall("PATCH", location, repository)
        call.headers = [Header("Content-Type", "application/octet-stream")]
        call.body = .stream(length: length, content)
        call.isRepeatable = false
        call.timeouts = RegistrySettings.longTimeouts
        let response = try await session.send(call, wanting: [202, 201, 204])
        return try self.location(of: response, in: repository)
    }

    private func close(
        _ location: String, _ digest: Digest, _ body: RequestBody, _ repository: Repository
    ) async throws(RegistryError) {
        let mark = location.contains("?") ? "&" : "?"
        var call = uploadCall("PUT", location + mark + RegistrySession.encoded([("digest", "\(digest)")]), repository)
        call.headers = [Header("Content-Type", "application/octet-stream")]
        call.body = body
        call.isRepeatable = false
        call.timeouts = RegistrySettings.longTimeouts
        do throws(RegistryError) {
            _ = try await session.send(call, wanting: [201, 204])
        } catch {
            // The answer may have been lost on its way back, and a connection that broke is tried anew by libcurl itself:
            // then the second try finds the upload closed.
            guard RegistrySession.mayPass(error) || error.code == .blobUploadUnknown, try await hasBlob(digest, in: repository)
            else { throw error }
        }
    }

    private func location(of response: TransportResponse, in repository: Repository) throws(RegistryError) -> String {
        guard let location = response.header("Location") else {
            throw .invalidAnswer(host: repository.registry, reason: "an upload without a Location")
        }
        return try absolute(location, in: repository)
    }

    private func blobCall(_ method: String, _ digest: Digest, _ repository: Repository) -> RegistryCall {
        RegistryCall(
            method: method, url: url(repository, "blobs/\(digest)"), repository: repository, scopes: [.pull(repository)],
            resource: .blob, subject: "blob \(digest) in \(repository)")
    }

    private func uploadCall(_ method: String, _ url: String, _ repository: Repository) -> RegistryCall {
        RegistryCall(
            method: method, url: url, repository: repository, scopes: [.push(repository)], resource: .upload,
            subject: "upload to \(repository)")
    }
}
