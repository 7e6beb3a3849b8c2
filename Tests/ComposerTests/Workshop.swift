// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import Contract
import Foundation
import JSON
import Logging
import LoopbackTesting
import OCI
import RegistryTesting
import Transport

@testable import Composer

/// A tar archive of these entries; files have their text as content.
func tar(_ entries: [(TarEntry, String)]) -> [UInt8] {
    var writer = TarWriter()
    var bytes: [UInt8] = []
    for (entry, text) in entries {
        var entry = entry
        if entry.kind == .file { entry.size = UInt64(text.utf8.count) }
        writer.begin(entry, into: &bytes)
        if entry.size > 0 { writer.append(Array(text.utf8), into: &bytes) }
    }
    writer.finish(into: &bytes)
    return bytes
}

/// A tar archive of plain files.
func tar(files: [(String, String)]) -> [UInt8] {
    tar(files.map { (TarEntry(path: $0.0, kind: .file), $0.1) })
}

func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let deflater = Deflater()
    var output: [UInt8] = []
    deflater.deflate(bytes, into: &output)
    deflater.finish(into: &output)
    return output
}

func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let inflater = Inflater(.gzip)
    inflater.feed(bytes)
    var output: [UInt8] = []
    while let piece = try inflater.next() { output += piece }
    try inflater.finish()
    return output
}

/// The entries of a tar archive, with their contents as text.
func untar(_ bytes: [UInt8]) throws -> [(entry: TarEntry, text: String)] {
    var reader = TarReader()
    reader.feed(bytes)
    var found: [(entry: TarEntry, text: String)] = []
    while let event = try reader.next() {
        switch event {
        case .entry(let entry): found.append((entry, ""))
        case .content(let piece): found[found.count - 1].text += String(decoding: piece, as: UTF8.self)
        }
    }
    try reader.finish()
    return found
}

/// What a source unpacks to: paths, with the text of files, the target of links and `/` for folders.
func unpacked(
    _ bytes: [UInt8], by size: Int = 1 << 20, name: String? = "file.bin", limits: SourceLimits = SourceLimits()
) async throws -> [String: String] {
    let builder = try FileTreeBuilder(in: "/tmp", limits: limits)
    var unpacker = SourceUnpacker(into: builder, singleName: name, limits: limits, folder: "/tmp")
    for start in stride(from: 0, to: bytes.count, by: size) { try unpacker.take(Array(bytes[start..<min(start + size, bytes.count)])) }
    let tree = try await unpacker.finish().finish()
    return try tree.nodes.mapValues { node in
        switch node {
        case .folder: "/"
        case .symlink(let target): "→ " + target
        case .file(let offset, let size, _): String(decoding: try tree.spool.read(at: offset, count: Int(size)), as: UTF8.self)
        }
    }
}

let signature = Signature(inputs: [Field("x", .double, Shape([2]))], outputs: [Field("y", .int64, Shape([]))])

/// A registry with a runtime in it, a composer for it, and a way to see a build end.
final class Workshop: Sendable {
    let registry: MemoryRegistry
    let transport = CurlTransport(name: "composer-test")
    let composer: ImageComposer
    let runtimeLayer = Array("runtime's layer".utf8)

    init(
        _ habits: MemoryRegistry.Habits = MemoryRegistry.Habits(), credential: RegistryCredential = .anonymous,
        others: [MemoryRegistry] = [], edit: (inout ComposerSettings) -> Void = { _ in }
    ) throws {
        registry = try MemoryRegistry(habits)
        var settings = ComposerSettings(
            registry: RegistrySettings(plainHTTP: Set([registry.host] + others.map(\.host)), attempts: 2, firstWait: .milliseconds(1)),
            keychain: Keychain(registry: registry.host, credential))
        edit(&settings)
        composer = ImageComposer(settings, transport: transport, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try addRuntime(to: registry)
    }

    /// `base/python:1`: one layer, a user and a variable.
    @discardableResult
    func addRuntime(to registry: MemoryRegistry) throws -> String {
        let config = Array(
            """
            {"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z","config":{"User":"65532","Env":["APP_PORT=9091"]},
            "rootfs":{"type":"layers","diff_ids":["\(Digest(of: [0]))"]},"history":[{"created_by":"base"}]}
            """.utf8)
        registry.addBlob(config, to: "base/python")
        registry.addBlob(runtimeLayer, to: "base/python")
        let manifest = Manifest(
            config: Descriptor(mediaType: MediaType.dockerConfig, digest: Digest(of: config), size: Int64(config.count)),
            layers: [Descriptor(mediaType: MediaType.dockerLayerGzip, digest: Digest(of: runtimeLayer), size: Int64(runtimeLayer.count))])
        return registry.addManifest(manifest.json(), type: MediaType.ociManifest, to: "base/python", tag: "1")
    }

    /// An order for the model `ns/iris`, with the digests as they are.
    func order(
        _ source: SourceSpec, version: Int = 1, signature: Signature = signature, runtime: MemoryRegistry? = nil
    ) async throws -> BuildOrder {
        let resolved = try await composer.resolveSource(source)
        let image = try await composer.resolveRuntime(image: "\((runtime ?? registry).host)/base/python:1")
        return BuildOrder(
            key: "ns/iris-\(version)", model: "iris", version: version, repository: "\(registry.host)/models/ns/iris",
            runtimeImage: "\(image.reference)", source: source, sourceDigest: resolved.digest, signature: signature, fingerprint: "sha256:f"
        )
    }

    /// Runs the composer for as long as the body does.
    func open<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.composer.run() }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// Starts a build and waits for its end.
    func build(_ order: BuildOrder) async throws -> BuiltImage {
        composer.start(order)
        for await _ in composer.changes {
            switch composer.progress(of: order.key) {
            case .finished(let image): return image
            case .failed(let error, _): throw error
            default: continue
            }
        }
        throw CancellationError()
    }

    /// The configuration and the unpacked top layer of a pushed image.
    func read(_ image: BuiltImage) async throws -> (config: ImageConfig, layers: [[UInt8]], manifest: Manifest) {
        let client = RegistryClient(transport: transport, settings: RegistrySettings(plainHTTP: [registry.host]))
        let pulled = try await client.image(try ImageReference(parsing: "\(image.repository)@\(image.digest)"))
        let layers = pulled.manifest.layers.map { registry.blob("\($0.digest)", in: "models/ns/iris") ?? [] }
        return (pulled.config, layers, pulled.manifest)
    }
}
