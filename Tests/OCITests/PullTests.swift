// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import LoopbackTesting
import RegistryTesting
import Synchronization
import Testing
import Transport

@testable import OCI

/// A registry in memory and a client of it, whose waits take no time and are counted.
final class Bench: Sendable {
    let registry: MemoryRegistry
    let waits = Mutex<[Duration]>([])
    let elapsed = Mutex<Duration>(.zero)
    let transport = CurlTransport(name: "registry-test")

    init(_ edit: (inout MemoryRegistry.Habits) -> Void = { _ in }) throws {
        var habits = MemoryRegistry.Habits()
        edit(&habits)
        registry = try MemoryRegistry(habits)
    }

    func client(_ credential: RegistryCredential = .anonymous, plain: Bool = true) -> RegistryClient {
        let start = ContinuousClock.now
        let clock = RegistryClock(
            now: { [self] in start + elapsed.withLock { $0 } },
            sleep: { [self] wait in waits.withLock { $0.append(wait) } }, random: { $0.upperBound })
        let settings = RegistrySettings(plainHTTP: plain ? [registry.host] : [], clock: clock)
        return RegistryClient(
            transport: transport, settings: settings, keychain: Keychain(registry: registry.host, credential))
    }

    func repository(_ name: String = "team/app") throws -> Repository { try Repository(registry: registry.host, name: name) }

    func reference(_ text: String) throws -> ImageReference { try ImageReference(parsing: registry.host + "/" + text) }

    /// Puts an image of one layer into the registry, under a tag.
    @discardableResult
    func addImage(_ name: String, tag: String, type: String = MediaType.ociManifest) throws -> Digest {
        let config = Array(
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:x\"]}}".utf8)
        let layer = Array("layer of \(name)".utf8)
        registry.addBlob(config, to: name)
        registry.addBlob(layer, to: name)
        var manifest = Manifest(
            config: Descriptor(mediaType: MediaType.ociConfig, digest: Digest(of: config), size: Int64(config.count)),
            layers: [Descriptor(mediaType: MediaType.ociLayerGzip, digest: Digest(of: layer), size: Int64(layer.count))])
        manifest.mediaType = type
        return try Digest(parsing: registry.addManifest(manifest.json(), type: type, to: name, tag: tag))
    }
}

/// Content in pieces, as a test wants it.
struct Pieces: AsyncSequence, Sendable {
    typealias Failure = any Error
    var pieces: [[UInt8]]
    var failure: (any Error)?

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<[UInt8]>
        var failure: (any Error)?

        mutating func next() async throws -> [UInt8]? {
            if let first = rest.popFirst() { return first }
            if let failure { throw failure }
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: pieces[...], failure: failure) }
}

struct PullTests {
    @Test func `an image comes with its manifest and configuration`() async throws {
        let bench = try Bench()
        let digest = try bench.addImage("base", tag: "1")
        let image = try await bench.client().image(bench.reference("base:1"))
        #expect(image.descriptor.digest == digest)
        #expect(image.reference == ImageReference(try bench.repository("base"), digest: digest))
        #expect(image.config.diffIDs == ["sha256:x"])
        #expect(image.manifest.layers.count == 1)
    }

    @Test(arguments: [MediaType.ociIndex, MediaType.dockerList])
    func `an index leads to the image of the platform`(type: String) async throws {
        let bench = try Bench()
        let digest = try bench.addImage("base", tag: "amd64", type: MediaType.dockerManifest)
        var index = ImageIndex()
        index.mediaType = type
        index.manifests = [
            Descriptor(
                mediaType: MediaType.dockerManifest, digest: Digest(of: []), size: 1, platform: Platform(os: "linux", architecture: "arm64")
            ),
            Descriptor(mediaType: MediaType.dockerManifest, digest: digest, size: 1, platform: .linuxAMD64),
        ]
        bench.registry.addManifest(index.json(), type: type, to: "base", tag: "1")
        let client = bench.client()
        #expect(try await client.image(bench.reference("base:1")).descriptor.digest == digest)
        let strange = Platform(os: "linux", architecture: "s390x")
        await #expect(throws: RegistryError.noPlatform(strange, found: ["linux/arm64", "linux/amd64"])) {
            try await client.image(bench.reference("base:1"), for: strange)
        }
    }

    @Test(arguments: [true, false]) func `a tag resolves by HEAD, or by GET where HEAD is not answered`(head: Bool) async throws {
        let bench = try Bench { $0.answersHead = head }
        let digest = try bench.addImage("base", tag: "1")
        let found = try await bench.client().resolve(bench.reference("base:1"))
        #expect(found.digest == digest && found.mediaType == MediaType.ociManifest)
        #expect(bench.registry.requests.count == (head ? 1 : 2))
    }

    @Test func `what is missing has the registry's code`() async throws {
        let bench = try Bench()
        try bench.addImage("base", tag: "1")
        let client = bench.client()
        func code(_ body: () async throws -> Void) async -> RegistryErrorCode? {
            do { try await body() } catch { return (error as? RegistryError)?.code }
            return nil
        }
        #expect(await code { _ = try await client.manifest(bench.reference("base:2")) } == .manifestUnknown)
        #expect(await code { _ = try await client.manifest(bench.reference("other:1")) } == .nameUnknown)
        #expect(await code { _ = try await client.resolve(bench.reference("base:2")) } == .manifestUnknown)
        #expect(await code { _ = try await client.tags(of: bench.repository("none")) } == .nameUnknown)
    }

    @Test func `content that is not its digest is not believed`() async throws {
        let bench = try Bench()
        let repository = try bench.repository("base")
        let wanted = Descriptor(mediaType: "x", digest: Digest(of: Array("right".utf8)), size: 5)
        for lie in ["wrong", "righ", "right or longer"] {
            bench.registry.fail("GET", "/blobs/", with: LoopbackAnswer(200, lie))
            await #expect(throws: RegistryError.self, "\(lie)") { try await bench.client().document(wanted, in: repository) }
        }
        let digest = try bench.addImage("base", tag: "1")
        bench.registry.fail("GET", "/manifests/", with: .json("{\"schemaVersion\":2,\"manifests\":[]}"))
        await #expect(throws: RegistryError.self) { try await bench.client().manifest(ImageReference(repository, digest: digest)) }
    }

    @Test func `a blob that is cut on its way fails`() async throws {
        let bench = try Bench()
        let digest = try Digest(parsing: bench.registry.addBlob([1, 2, 3, 4], to: "base"))
        bench.registry.fail("GET", "/blobs/", with: LoopbackAnswer(200, framing: .length(4), pieces: [.bytes([1, 2]), .cut]))
        let descriptor = Descriptor(mediaType: "x", digest: digest, size: 4)
        do {
            _ = try await bench.client().document(descriptor, in: bench.repository("base"))
            Issue.record("a cut blob passed")
        } catch {
            if case .unreachable? = error as? RegistryError { return }
            Issue.record("found \(error)")
        }
    }

    @Test func `tags come from all pages`() async throws {
        let bench = try Bench { $0.pageSize = 2 }
        for tag in ["a", "b", "c", "d", "e"] { try bench.addImage("base", tag: tag) }
        #expect(try await bench.client().tags(of: bench.repository("base")) == ["a", "b", "c", "d", "e"])
    }

    @Test func `a registry is not spoken to in the clear unless told`() throws {
        let bench = try Bench()
        let client = bench.client(plain: false)
        #expect(client.url(try bench.repository(), "tags/list") == "https://\(bench.registry.host)/v2/team/app/tags/list")
        // Nor where the registry itself leads there; its own name in the clear is taken for a slip.
        #expect(try client.absolute("http://\(bench.registry.host)/x", in: bench.repository()) == "https://\(bench.registry.host)/x")
        #expect(throws: RegistryError.self) { try client.absolute("http://elsewhere.example/x", in: bench.repository()) }
    }
}

struct RetryTests {
    @Test(arguments: [500, 502, 503, 504, 429]) func `a passing failure is tried again, later each time`(status: Int) async throws {
        let bench = try Bench()
        try bench.addImage("base", tag: "1")
        bench.registry.fail("HEAD", "/manifests/", times: 3, with: LoopbackAnswer(status))
        _ = try await bench.client().resolve(bench.reference("base:1"))
        #expect(bench.waits.withLock { $0 } == [.milliseconds(250), .milliseconds(500), .seconds(1)])
    }

    @Test func `after the last try the registry's words are told`() async throws {
        let bench = try Bench()
        bench.registry.fail("GET", "/manifests/", times: 4, with: .error(503, "UNAVAILABLE", "come back"))
        do {
            _ = try await bench.client().manifest(bench.reference("base:1"))
        } catch {
            let host = bench.registry.host
            #expect("\(error)" == "manifest \(host)/base:1: registry \(host) answered 503 UNKNOWN: come back")
            #expect((error as? RegistryError)?.canHeal == true)
        }
        #expect(bench.registry.requests.count == 4)
    }

    @Test func `a refusal is not tried again`() async throws {
        let bench = try Bench()
        bench.registry.fail("GET", "/manifests/", with: .error(403, "DENIED", "no"))
        await #expect(throws: RegistryError.self) { try await bench.client().manifest(bench.reference("base:1")) }
        #expect(bench.registry.requests.count == 1 && bench.waits.withLock { $0.isEmpty })
    }

    @Test func `the patience that the registry asks for is had, up to a limit`() async throws {
        let bench = try Bench()
        try bench.addImage("base", tag: "1")
        bench.registry.fail("HEAD", "/manifests/", with: LoopbackAnswer(429, headers: [("Retry-After", "7")]))
        _ = try await bench.client().resolve(bench.reference("base:1"))
        #expect(bench.waits.withLock { $0 } == [.seconds(7)])
        bench.registry.fail("HEAD", "/manifests/", with: LoopbackAnswer(429, headers: [("Retry-After", "7000")]))
        await #expect(throws: RegistryError.self) { try await bench.client().resolve(bench.reference("base:1")) }
        #expect(bench.waits.withLock { $0.count } == 1)
    }

    @Test func `a connection that is cut is tried again`() async throws {
        let bench = try Bench()
        try bench.addImage("base", tag: "1")
        bench.registry.fail("HEAD", "/manifests/", with: .hangUp)
        _ = try await bench.client().resolve(bench.reference("base:1"))
    }
}
