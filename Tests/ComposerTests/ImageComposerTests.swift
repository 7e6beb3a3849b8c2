// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import Contract
import Foundation
import JSON
import LoopbackTesting
import OCI
import Protos
import RegistryTesting
import Testing
import Transport

@testable import Composer

@Suite(.timeLimit(.minutes(1)))
struct ImageComposerTests {
    private static let files: [String: [UInt8]] = ["func_main.py": Array("x".utf8), "model.pkl": [1, 2, 3]]

    @Test func `a model becomes an image above its runtime`() async throws {
        let shop = try Workshop()
        let order = try await shop.order(.configMap(files: Self.files))
        let image = try await shop.open { try await shop.build(order) }
        #expect(image.repository == "\(shop.registry.host)/models/ns/iris" && image.tag == "1")
        #expect(shop.registry.tags(of: "models/ns/iris") == ["1"])
        #expect(image.log.count == 5 && image.log[0].hasPrefix("source ConfigMap sha256:"))
        let (config, layers, manifest) = try await shop.read(image)
        #expect(layers[0] == shop.runtimeLayer)
        #expect(Int64(layers[0].count + layers[1].count) == image.size)
        let unpacked = try gunzip(layers[1])
        #expect(config.diffIDs == ["\(Digest(of: [0]))", "\(Digest(of: unpacked))"])
        #expect(config.user == "65532" && config.environment == ["APP_PORT=9091"])
        #expect(config.labels["MODEL_NAME"] == "iris" && config.labels["MODEL_VERSION"] == "1")
        #expect(config.labels["io.hydrosphere.fingerprint"] == "sha256:f")
        #expect(manifest.mediaType == MediaType.ociManifest && manifest.layers.allSatisfy { $0.mediaType == MediaType.ociLayerGzip })
        #expect(manifest.annotations["org.opencontainers.image.base.digest"]?.hasPrefix("sha256:") == true)
        let found = try untar(unpacked)
        #expect(found.map(\.entry.path).suffix(2) == ["model/files/func_main.py", "model/files/model.pkl"])
        let contract = try #require(found.first { $0.entry.path == "model/contract.protobin" })
        #expect(try Signature(protobin: Array(contract.text.utf8)) == signature)
    }

    @Test func `runtime's layers are mounted in one registry, and copied from another`() async throws {
        let one = try Workshop()
        let order = try await one.order(.configMap(files: Self.files))
        _ = try await one.open { try await one.build(order) }
        #expect(one.registry.requests.filter { $0.hasPrefix("GET /v2/base/python/blobs") }.count == 1)
        let other = try MemoryRegistry()
        let two = try Workshop(others: [other])
        try two.addRuntime(to: other)
        let second = try await two.order(.configMap(files: Self.files), runtime: other)
        let image = try await two.open { try await two.build(second) }
        #expect(try await two.read(image).layers[0] == two.runtimeLayer)
    }

    @Test func `the same inputs give the same digest, in whatever registry`() async throws {
        var digests: Set<String> = []
        for _ in 0..<2 {
            let shop = try Workshop()
            let order = try await shop.order(.configMap(files: Self.files))
            let image = try await shop.open { try await shop.build(order) }
            let manifest = try await shop.read(image).manifest
            digests.insert("\(manifest.layers.map(\.digest))")
        }
        #expect(digests.count == 1)
        let shop = try Workshop()
        let order = try await shop.order(.configMap(files: Self.files))
        let first = try await shop.open { try await shop.build(order) }
        shop.composer.cancel(order.key)
        let again = try await shop.open { try await shop.build(order) }
        #expect(first.digest == again.digest)
    }

    @Test(arguments: [true, false]) func `an archive from the web is proven by its digest`(isRight: Bool) async throws {
        let archive = gzip(tar(files: [("func_main.py", "x")]))
        let server = try LoopbackServer { request in
            request.header("Authorization") == "Bearer t" ? LoopbackAnswer(200, pieces: [.bytes(archive)]) : LoopbackAnswer(403)
        }
        defer { server.stop() }
        let shop = try Workshop()
        let sha256 = isRight ? Digest(of: archive).hex : Digest(of: [1]).hex
        let spec = SourceSpec.http(url: server.url("/m/model.tar.gz?token=secret"), sha256: sha256, credentials: .bearer("t"))
        let order = try await shop.order(spec)
        #expect(order.sourceDigest == "sha256:" + sha256 && server.seen.isEmpty)
        do {
            let image = try await shop.open { try await shop.build(order) }
            #expect(isRight)
            #expect(try untar(gunzip(try await shop.read(image).layers[1])).last?.entry.path == "model/files/func_main.py")
        } catch let error as ComposerError {
            #expect(!isRight && error.reason == .sourceDigestMismatch)
            #expect("\(error)".contains("/m/model.tar.gz: wanted sha256:\(sha256), found \(Digest(of: archive))"))
            #expect(!"\(error)".contains("secret"))
        }
    }

    @Test func `a source without a digest is fetched for it, and a change before the build is noticed`() async throws {
        let tally = Tally()
        let server = try LoopbackServer { _ in
            tally.add()
            return LoopbackAnswer(200, "content \(tally.count)")
        }
        defer { server.stop() }
        let shop = try Workshop()
        let order = try await shop.order(.http(url: server.url("/model.pkl"), sha256: nil, credentials: .none))
        #expect(order.sourceDigest == "\(Digest(of: Array("content 1".utf8)))")
        await #expect(throws: ComposerError.self) { try await shop.open { try await shop.build(order) } }
        guard case .failed(let error, let log)? = shop.composer.progress(of: order.key) else { return #expect(Bool(false)) }
        #expect(error.reason == .sourceDigestMismatch && log == ["\(error)"])
    }

    @Test(arguments: [
        (404, ComposerError.Reason.sourceNotFound), (401, .sourceDenied), (403, .sourceDenied), (503, .sourceUnreachable),
        (302, .sourceInvalid),
    ])
    func `what a web server says becomes a reason`(status: Int, reason: ComposerError.Reason) async throws {
        let server = try LoopbackServer { _ in LoopbackAnswer(status) }
        defer { server.stop() }
        let shop = try Workshop()
        do {
            _ = try await shop.composer.resolveSource(.http(url: server.url("/x"), sha256: nil, credentials: .none))
            Issue.record("\(status) passed")
        } catch let error as ComposerError {
            #expect(error.reason == reason && error.message.hasSuffix("wanted status 200, found \(status)"))
        }
    }

    @Test(arguments: ["ftp://a/b", "file:///etc/passwd", "http://", "x", "http://u:p@host/x"])
    func `other addresses are refused`(url: String) async throws {
        let shop = try Workshop()
        do {
            _ = try await shop.composer.resolveSource(.http(url: url, sha256: nil, credentials: .none))
            Issue.record("\(url) passed")
        } catch let error as ComposerError {
            #expect(error.reason == .sourceInvalid && !error.message.contains("u:p"))
        }
    }

    @Test func `a source over the limit ends while it comes`() async throws {
        let server = try LoopbackServer { _ in
            LoopbackAnswer.chunked([.produced { [UInt8](repeating: 0, count: 10_000) }])
        }
        defer { server.stop() }
        let shop = try Workshop { $0.limits.fetchedBytes = 100_000 }
        do {
            _ = try await shop.composer.resolveSource(.http(url: server.url("/big"), sha256: nil, credentials: .none))
        } catch let error as ComposerError {
            #expect(error.reason == .sourceTooLarge && error.message.hasSuffix("/big: more than 100000 bytes"))
        }
    }

    @Test func `an artifact in a registry is a source: archives and files by their titles`() async throws {
        let shop = try Workshop()
        let archive = gzip(tar(files: [("src/a.py", "a")]))
        let file = archive
        shop.registry.addBlob(Array("{}".utf8), to: "team/files")
        shop.registry.addBlob(archive, to: "team/files")
        let layers = [
            Descriptor(mediaType: MediaType.ociLayerGzip, digest: Digest(of: archive), size: Int64(archive.count)),
            Descriptor(
                mediaType: "application/octet-stream", digest: Digest(of: file), size: Int64(file.count),
                annotations: ["org.opencontainers.image.title": "kept.tar.gz"]),
        ]
        let config = Descriptor(mediaType: MediaType.ociEmpty, digest: Digest(of: Array("{}".utf8)), size: 2)
        let digest = shop.registry.addManifest(
            Manifest(config: config, layers: layers).json(), type: MediaType.ociManifest, to: "team/files", tag: "1")
        let order = try await shop.order(.oci(reference: "\(shop.registry.host)/team/files:1", keychain: .anonymous))
        #expect(order.sourceDigest == digest)
        // What was resolved is built, though the tag has moved on.
        shop.registry.addManifest(
            Manifest(config: config, layers: []).json(), type: MediaType.ociManifest, to: "team/files", tag: "1")
        let image = try await shop.open { try await shop.build(order) }
        let paths = try untar(gunzip(try await shop.read(image).layers[1])).map(\.entry.path)
        #expect(paths.suffix(3) == ["model/files/kept.tar.gz", "model/files/src/", "model/files/src/a.py"])
        await #expect(throws: ComposerError.self) {
            try await shop.composer.resolveSource(.oci(reference: "\(shop.registry.host)/team/none:1", keychain: .anonymous))
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct ComposerFailureTests {
    private static let source = SourceSpec.configMap(files: ["a": [1]])

    private func reason(_ body: () async throws -> Void) async -> ComposerError.Reason? {
        do { try await body() } catch { return (error as? ComposerError)?.reason }
        return nil
    }

    @Test func `a broken contract names all that is wrong`() async throws {
        let shop = try Workshop()
        let order = try await shop.order(Self.source, signature: Signature(name: "not a name", inputs: [], outputs: []))
        #expect(await reason { _ = try await shop.open { try await shop.build(order) } } == .contractInvalid)
    }

    @Test func `a runtime that is not there, and one that is called wrong`() async throws {
        let shop = try Workshop()
        for image in ["\(shop.registry.host)/base/none:1", "\(shop.registry.host)/base/python:2", "UPPER"] {
            #expect(await reason { _ = try await shop.composer.resolveRuntime(image: image) } == .runtimeNotFound, "\(image)")
        }
    }

    @Test func `a runtime is resolved once a minute`() async throws {
        let shop = try Workshop()
        let first = try await shop.composer.resolveRuntime(image: "\(shop.registry.host)/base/python:1")
        #expect(try await shop.composer.resolveRuntime(image: "\(shop.registry.host)/base/python:1") == first)
        #expect(shop.registry.requests.count == 1)
    }

    @Test func `a registry that wants a password is denied without one, and served with it`() async throws {
        var habits = MemoryRegistry.Habits()
        habits.entry = .bearer(user: "me", password: "secret", lifetime: 300)
        let stranger = try Workshop(habits)
        #expect(await reason { _ = try await stranger.order(Self.source) } == .registryDenied)
        let shop = try Workshop(habits, credential: .basic(user: "me", password: "secret"))
        let order = try await shop.order(Self.source)
        let image = try await shop.open { try await shop.build(order) }
        try await shop.composer.deleteImage(repository: image.repository, digest: image.digest)
        try await shop.composer.deleteImage(repository: image.repository, digest: image.digest)
        #expect(shop.registry.tags(of: "models/ns/iris").isEmpty)
    }

    @Test func `a registry in trouble heals: the build fails for now, and succeeds when begun again`() async throws {
        let shop = try Workshop()
        let order = try await shop.order(Self.source)
        shop.registry.fail("PATCH", "/blobs/uploads/", times: 2, with: LoopbackAnswer(503))
        #expect(await reason { _ = try await shop.open { try await shop.build(order) } } == .registryUnreachable)
        shop.composer.start(order)
        guard case .failed(let error, _)? = shop.composer.progress(of: order.key) else { return #expect(Bool(false)) }
        #expect(error.canHeal)
        shop.composer.cancel(order.key)
        let image = try await shop.open { try await shop.build(order) }
        #expect(shop.registry.manifest("1", in: "models/ns/iris").map { "\(Digest(of: $0))" } == image.digest)
    }

    @Test func `a cancelled build stops, and its place is free`() async throws {
        let gate = Gate()
        let asked = Tally()
        let server = try LoopbackServer { _ in
            asked.add()
            return LoopbackAnswer(200, "x").after(gate)
        }
        defer { server.stop() }
        let shop = try Workshop { $0.concurrency = 1 }
        let digest = "\(Digest(of: Array("x".utf8)))"
        var stuck = try await shop.order(.http(url: server.url("/x"), sha256: digest, credentials: .none))
        stuck.key = "ns/stuck"
        let next = try await shop.order(Self.source)
        let (held, free) = (stuck, next)
        try await shop.open {
            shop.composer.start(held)
            try await asked.reaches(1)
            shop.composer.start(free)
            #expect(shop.composer.progress(of: free.key) == .queued)
            shop.composer.cancel(held.key)
            #expect(shop.composer.progress(of: held.key) == nil)
            try await server.departures.reaches(1)
            _ = try await shop.build(free)
        }
    }

    @Test func `a build that takes too long is interrupted`() async throws {
        let server = try LoopbackServer { _ in .silence }
        defer { server.stop() }
        let shop = try Workshop { $0.buildDeadline = .milliseconds(50) }
        let order = try await shop.order(.http(url: server.url("/x"), sha256: Digest(of: [1]).hex, credentials: .none))
        #expect(await reason { _ = try await shop.open { try await shop.build(order) } } == .interrupted)
    }

    @Test func `what ran when the program ended is interrupted and can be begun again`() async throws {
        let asked = Tally()
        let server = try LoopbackServer { _ in
            asked.add()
            return .silence
        }
        defer { server.stop() }
        let shop = try Workshop()
        let order = try await shop.order(.http(url: server.url("/x"), sha256: Digest(of: [1]).hex, credentials: .none))
        try await shop.open {
            shop.composer.start(order)
            try await asked.reaches(1)
        }
        guard case .failed(let error, _)? = shop.composer.progress(of: order.key) else { return #expect(Bool(false)) }
        #expect(error.reason == .interrupted && error.canHeal)
    }

    @Test func `an external model has no image`() async throws {
        let shop = try Workshop()
        let order = try await shop.order(.external)
        #expect(await reason { _ = try await shop.open { try await shop.build(order) } } == .sourceInvalid)
    }
}
