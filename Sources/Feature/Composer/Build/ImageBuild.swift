// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Foundation
import JSON
import OCI
import Protos
import Synchronization
import Transport

/// One build, from an order to a pushed image.
///
/// 1. Fetch the source and check its digest.
/// 2. Read the runtime's manifest and configuration.
/// 3. Give the target repository the runtime's layers: mounted where the registry is the same, copied otherwise.
/// 4. Upload the model's layer as it is made.
/// 5. Push the configuration, then the manifest under the version's tag.
struct ImageBuild: Sendable {
    let order: BuildOrder
    let fetcher: SourceFetcher
    let client: RegistryClient
    let clock: RegistryClock
    /// Takes a line for the build's log.
    let say: @Sendable (String) -> Void

    /// Builds and pushes. The log is the caller's to add.
    func run() async throws(ComposerError) -> BuiltImage {
        let start = clock.now()
        let contract = try contract()
        let target = try target()
        let source = try await fetch()
        let runtime = try await runtime()
        try await bring(runtime, into: target.repository)
        let (layer, diffID) = try await upload(ModelLayer(tree: source.tree, contract: contract), to: target.repository)
        let (digest, size) = try await push(runtime, layer, diffID, as: target)
        let seconds = (clock.now() - start).inSeconds
        say("image \(target)@\(digest): \(bytes(size)) in \(tenths(seconds)) s")
        return BuiltImage(
            repository: "\(target.repository)", tag: target.tag ?? "", digest: "\(digest)", size: size, log: [], seconds: seconds)
    }

    private func contract() throws(ComposerError) -> [UInt8] {
        let problems = order.signature.problems()
        guard problems.isEmpty else { throw ComposerError(.contractInvalid, problems.joined(separator: "; ")) }
        do {
            return try order.signature.protobin()
        } catch {
            throw ComposerError(.contractInvalid, "\(error)")
        }
    }

    private func target() throws(ComposerError) -> ImageReference {
        do throws(ReferenceError) {
            let repository = try ImageReference(parsing: order.repository).repository
            return try ImageReference(repository, tag: String(order.version))
        } catch {
            throw ComposerError(.registryDenied, error.message)
        }
    }

    private func fetch() async throws(ComposerError) -> FetchedSource {
        let start = clock.now()
        let source = try await fetcher.fetch(order.source, pinned: order.sourceDigest)
        guard source.digest == order.sourceDigest else {
            throw ComposerError(.sourceDigestMismatch, "wanted \(order.sourceDigest), found \(source.digest): the source has changed")
        }
        let seconds = (clock.now() - start).inSeconds
        say(
            "source \(order.source.name) \(source.digest): \(bytes(Int64(clamping: source.fetchedBytes))), \(source.tree.fileCount) files of "
                + "\(bytes(Int64(clamping: source.tree.byteCount))) in \(tenths(seconds)) s")
        return source
    }

    private func runtime() async throws(ComposerError) -> PulledImage {
        do {
            let image = try await client.image(try ImageReference(parsing: order.runtimeImage))
            say("runtime \(order.runtimeImage): \(image.manifest.layers.count) layers, \(bytes(image.manifest.layerSize))")
            return image
        } catch {
            throw ComposerError(any: error, on: .runtime)
        }
    }

    private func bring(_ runtime: PulledImage, into target: Repository) async throws(ComposerError) {
        let start = clock.now()
        var (mounted, copied) = (0, 0)
        var seen: Set<Digest> = []
        do {
            for layer in runtime.manifest.layers where seen.insert(layer.digest).inserted {
                try Task.checkCancellation()
                if runtime.repository == target { continue }
                if runtime.repository.registry == target.registry,
                    try await client.mount(layer.digest, from: runtime.repository, into: target)
                {
                    mounted += 1
                } else {
                    try await client.copy(layer, from: runtime.repository, of: client, to: target)
                    copied += 1
                }
            }
        } catch {
            throw ComposerError(any: error, on: .target)
        }
        say("runtime's layers: \(mounted) mounted, \(copied) copied in \(tenths((clock.now() - start).inSeconds)) s")
    }

    private func upload(_ layer: ModelLayer, to target: Repository) async throws(ComposerError) -> (Descriptor, Digest) {
        let start = clock.now()
        let last = LastStream()
        do {
            let made = try await client.upload({ last.keep(layer.stream()) }, to: target)
            guard let diffID = last.stream?.diffID else {
                throw ComposerError(.interrupted, "the registry took the model's layer before its end")
            }
            say("model's layer \(made.digest): \(bytes(made.size)) in \(tenths((clock.now() - start).inSeconds)) s")
            return (Descriptor(mediaType: MediaType.ociLayerGzip, digest: made.digest, size: made.size), diffID)
        } catch {
            throw ComposerError(any: error, on: .target)
        }
    }

    private func push(
        _ runtime: PulledImage, _ layer: Descriptor, _ diffID: Digest, as target: ImageReference
    ) async throws(ComposerError) -> (Digest, Int64) {
        var config = runtime.config
        // The time of making stays the runtime's: an image is its inputs, and the same inputs give the same digest.
        config.append(diffID: diffID, createdBy: "hydro: model files and contract")
        config.labels.merge(ImageLabels.labels(of: order, runtime: runtime)) { _, new in new }
        let bytes = config.json()
        do {
            let digest = try await client.upload(bytes, to: target.repository)
            let manifest = Manifest(
                config: Descriptor(mediaType: MediaType.ociConfig, digest: digest, size: Int64(bytes.count)),
                layers: runtime.manifest.layers.map(\.asOCI) + [layer], annotations: ImageLabels.annotations(of: order, runtime: runtime))
            return (try await client.push(manifest.json(), as: target), manifest.layerSize)
        } catch {
            throw ComposerError(any: error, on: .target)
        }
    }

    /// The stream of the last try: the one that the upload which succeeded has read.
    private final class LastStream: Sendable {
        private let kept = Mutex<LayerStream?>(nil)
        var stream: LayerStream? { kept.withLock { $0 } }

        func keep(_ stream: LayerStream) -> LayerStream {
            kept.withLock { $0 = stream }
            return stream
        }
    }
}

extension SourceSpec {
    /// For the log: where from, without secrets.
    var name: String {
        switch self {
        case .configMap: "ConfigMap"
        case .http(let url, _, _): (try? SourceURL(parsing: url))?.description ?? "http"  // A URL that does not parse was refused before.
        case .oci(let reference, _): reference
        case .external: "external"
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// A number of bytes for people.
private func bytes(_ count: Int64) -> String {
    count < 1000 ? "\(count) bytes" : count < 1_000_000 ? "\(tenths(Double(count) / 1e3)) kB" : "\(tenths(Double(count) / 1e6)) MB"
}

private func tenths(_ number: Double) -> String { String(format: "%.1f", number) }
