// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import LoopbackTesting
import RegistryTesting
import Synchronization
import Testing
import Transport

@testable import OCI

struct PushTests {
    private static let pieces = (0..<50).map { [UInt8](repeating: UInt8($0), count: 1000) }
    private static let whole = pieces.flatMap { $0 }

    @Test(arguments: [true, false]) func `a stream of unknown length is uploaded and named`(relative: Bool) async throws {
        let bench = try Bench { $0.hasRelativeLocations = relative }
        let result = try await bench.client().upload({ Pieces(pieces: Self.pieces) }, to: bench.repository())
        #expect(result.digest == Digest(of: Self.whole) && result.size == 50_000)
        #expect(bench.registry.blob("\(result.digest)", in: "team/app") == Self.whole)
        let words = bench.registry.requests.map { $0.split(separator: " ")[0] }
        #expect(words == ["POST", "PATCH", "PUT"])
        #expect(bench.registry.openUploads == 0)
    }

    @Test(arguments: ["POST", "PATCH", "PUT"]) func `an upload that fails by accident begins anew`(method: String) async throws {
        let bench = try Bench()
        bench.registry.fail(method, "/blobs/uploads/", with: LoopbackAnswer(503))
        let tries = Mutex(0)
        let content: BlobContent = {
            tries.withLock { $0 += 1 }
            return Pieces(pieces: Self.pieces)
        }
        let result = try await bench.client().upload(content, to: bench.repository())
        #expect(bench.registry.blob("\(result.digest)", in: "team/app") == Self.whole)
        #expect(tries.withLock { $0 } == (method == "POST" ? 1 : 2))
    }

    @Test func `an upload whose end was not heard is not sent again`() async throws {
        let bench = try Bench()
        bench.registry.fail("PUT", "/blobs/uploads/", doing: true, with: .hangUp)
        let result = try await bench.client().upload({ Pieces(pieces: Self.pieces) }, to: bench.repository())
        #expect(bench.registry.blob("\(result.digest)", in: "team/app") == Self.whole)
        #expect(bench.registry.requests.filter { $0.hasPrefix("PATCH") }.count == 1)
    }

    @Test func `content that fails on its way fails the upload with its own words`() async throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "the disk is gone" } }
        let bench = try Bench()
        await #expect(throws: RegistryError.contentFailed("the disk is gone")) {
            try await bench.client().upload({ Pieces(pieces: Self.pieces, failure: Broken()) }, to: bench.repository())
        }
        await #expect(throws: RegistryError.self) {
            try await bench.client().upload({ Pieces(pieces: [[1]]) }, expecting: Digest(of: [2]), to: bench.repository())
        }
    }

    @Test func `small content goes at once, and not at all where it is`() async throws {
        let bench = try Bench()
        let client = bench.client()
        let digest = try await client.upload([1, 2, 3], to: bench.repository())
        #expect(bench.registry.blob("\(digest)", in: "team/app") == [1, 2, 3])
        let before = bench.registry.requests.count
        #expect(try await client.upload([1, 2, 3], to: bench.repository()) == digest)
        #expect(bench.registry.requests.count == before + 1)
    }

    @Test func `a blob is mounted, or the upload that was opened instead is closed`() async throws {
        let bench = try Bench()
        let digest = try Digest(parsing: bench.registry.addBlob([7], to: "base"))
        #expect(try await bench.client().mount(digest, from: bench.repository("base"), into: bench.repository()))
        #expect(bench.registry.blob("\(digest)", in: "team/app") == [7])
        bench.registry.change { $0.mounts = false }
        #expect(try await !bench.client().mount(digest, from: bench.repository("base"), into: bench.repository("other")))
        #expect(bench.registry.openUploads == 0)
    }

    @Test func `a blob is copied between registries, with a source that fails once`() async throws {
        let (source, target) = (try Bench(), try Bench())
        let digest = try Digest(parsing: source.registry.addBlob(Self.whole, to: "base"))
        let descriptor = Descriptor(mediaType: "x", digest: digest, size: Int64(Self.whole.count))
        source.registry.fail(
            "GET", "/blobs/", with: LoopbackAnswer(200, framing: .length(Self.whole.count), pieces: [.bytes([0, 0]), .cut]))
        try await target.client().copy(descriptor, from: source.repository("base"), of: source.client(), to: target.repository())
        #expect(target.registry.blob("\(digest)", in: "team/app") == Self.whole)
    }

    @Test func `a manifest is pushed, tagged and deleted by digest with its tags`() async throws {
        let bench = try Bench()
        let client = bench.client()
        let config = try await client.upload(ImageConfig(platform: .linuxAMD64).json(), to: bench.repository())
        let size = Int64(ImageConfig(platform: .linuxAMD64).json().count)
        let manifest = Manifest(config: Descriptor(mediaType: MediaType.ociConfig, digest: config, size: size), layers: [])
        let digest = try await client.push(manifest.json(), as: bench.reference("team/app:1"))
        #expect(try await client.resolve(bench.reference("team/app:1")).digest == digest)
        #expect(try await client.deleteManifest(digest, in: bench.repository()))
        #expect(try await !client.deleteManifest(digest, in: bench.repository()))
        #expect(bench.registry.tags(of: "team/app").isEmpty)
        bench.registry.change { $0.deletes = false }
        await #expect(throws: RegistryError.self) { try await client.deleteManifest(digest, in: bench.repository()) }
    }

    @Test func `a manifest of unknown blobs is refused by its code`() async throws {
        let bench = try Bench()
        let manifest = Manifest(config: Descriptor(mediaType: MediaType.ociConfig, digest: Digest(of: [1]), size: 1), layers: [])
        do {
            _ = try await bench.client().push(manifest.json(), as: bench.reference("team/app:1"))
            Issue.record("a manifest of nothing passed")
        } catch {
            #expect((error as? RegistryError)?.code == .manifestBlobUnknown)
        }
    }
}

struct AuthTests {
    private static let me = RegistryCredential.basic(user: "me", password: "secret")

    private func bearer(lifetime: Int = 300) throws -> Bench {
        try Bench { $0.entry = .bearer(user: "me", password: "secret", lifetime: lifetime) }
    }

    @Test func `basic authorization is shown once it is demanded, and from then on`() async throws {
        let bench = try Bench { $0.entry = .basic(user: "me", password: "secret") }
        try bench.addImage("base", tag: "1")
        let client = bench.client(Self.me)
        _ = try await client.resolve(bench.reference("base:1"))
        _ = try await client.resolve(bench.reference("base:1"))
        #expect(bench.registry.requests.count == 3)
        await #expect(throws: RegistryError.self) { try await bench.client().resolve(bench.reference("base:1")) }
    }

    @Test func `a token is fetched, used for its scope and kept until it runs out`() async throws {
        let bench = try bearer()
        try bench.addImage("base", tag: "1")
        let client = bench.client(Self.me)
        _ = try await client.image(bench.reference("base:1"))
        #expect(bench.registry.requests.filter { $0 == "GET /token" }.count == 1)
        bench.elapsed.withLock { $0 = .seconds(299) }
        _ = try await client.image(bench.reference("base:1"))
        #expect(bench.registry.requests.filter { $0 == "GET /token" }.count == 2)
    }

    @Test func `a token that the registry forgot is fetched anew`() async throws {
        let bench = try bearer()
        try bench.addImage("base", tag: "1")
        let client = bench.client(Self.me)
        _ = try await client.resolve(bench.reference("base:1"))
        bench.registry.revokeTokens()
        _ = try await client.resolve(bench.reference("base:1"))
        #expect(bench.registry.requests.filter { $0 == "GET /token" }.count == 2)
    }

    @Test func `an authorization that runs out before a stream is renewed, and the stream begun anew`() async throws {
        let bench = try bearer()
        let challenge = [("WWW-Authenticate", "Bearer realm=\"http://\(bench.registry.host)/token\",service=\"registry\"")]
        bench.registry.fail("PATCH", "/blobs/uploads/", with: LoopbackAnswer(401, headers: challenge))
        let made = try await bench.client(Self.me).upload({ Pieces(pieces: [[1], [2]]) }, to: bench.repository())
        #expect(bench.registry.blob("\(made.digest)", in: "team/app") == [1, 2])
    }

    @Test func `a whole push works with tokens: mount, upload, manifest, deletion`() async throws {
        let bench = try bearer()
        let digest = try Digest(parsing: bench.registry.addBlob([7], to: "base"))
        let client = bench.client(Self.me)
        #expect(try await client.mount(digest, from: bench.repository("base"), into: bench.repository()))
        let config = try await client.upload({ Pieces(pieces: [Array("{}".utf8)]) }, to: bench.repository())
        let manifest = Manifest(
            config: Descriptor(mediaType: MediaType.ociConfig, digest: config.digest, size: config.size),
            layers: [Descriptor(mediaType: MediaType.ociLayerGzip, digest: digest, size: 1)])
        let pushed = try await client.push(manifest.json(), as: bench.reference("team/app:1"))
        #expect(try await client.deleteManifest(pushed, in: bench.repository()))
    }

    @Test(arguments: [RegistryCredential.anonymous, .basic(user: "me", password: "wrong")])
    func `who is not known is unauthorized, and hears no secret`(credential: RegistryCredential) async throws {
        let bench = try bearer()
        do {
            _ = try await bench.client(credential).resolve(bench.reference("base:1"))
            Issue.record("nobody was let in")
        } catch {
            #expect((error as? RegistryError)?.code == .unauthorized)
            #expect(!"\(error)".contains("wrong"))
            #expect((error as? RegistryError)?.canHeal == false)
        }
    }

    @Test func `a token server in the clear gets no password unless it is allowed`() async throws {
        let bench = try Bench()
        let challenge = [("WWW-Authenticate", "Bearer realm=\"http://elsewhere.example/token\"")]
        bench.registry.fail("HEAD", "/manifests/", with: LoopbackAnswer(401, headers: challenge))
        do {
            _ = try await bench.client(Self.me).resolve(bench.reference("base:1"))
            Issue.record("the password left")
        } catch {
            #expect("\(error)".contains("its token server \"elsewhere.example\" is not on https"))
        }
    }
}
