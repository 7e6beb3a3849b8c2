// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import Hashing
import OCI
import Synchronization

/// The one layer that a model adds to its runtime: `/model/contract.protobin` and the files under `/model/files`.
///
/// *Guarantees*: the same files and contract give the same bytes: entries sorted, no times, no owners, modes 0644 and 0755.
struct ModelLayer: Sendable {
    let tree: FileTree
    let contract: [UInt8]

    /// One entry to write, and where its content comes from.
    enum Item: Sendable {
        case entry(TarEntry)
        case bytes(TarEntry, [UInt8])
        case spooled(TarEntry, offset: UInt64)
    }

    /// Everything in the layer, in the order of paths. Folders come before what lies in them.
    var items: [Item] {
        var items: [Item] = [
            .entry(ModelLayer.folder("model/")),
            .bytes(TarEntry(path: "model/contract.protobin", kind: .file, size: UInt64(contract.count), mode: 0o644), contract),
            .entry(ModelLayer.folder("model/files/")),
        ]
        for path in tree.sortedPaths {
            let place = "model/files/" + path
            switch tree.nodes[path] {
            case .folder: items.append(.entry(ModelLayer.folder(place + "/")))
            case .symlink(let target): items.append(.entry(TarEntry(path: place, kind: .symlink(target: target), mode: 0o777)))
            case .file(let offset, let size, let isExecutable):
                let entry = TarEntry(path: place, kind: .file, size: size, mode: isExecutable ? 0o755 : 0o644)
                items.append(.spooled(entry, offset: offset))
            case nil: continue
            }
        }
        return items
    }

    private static func folder(_ path: String) -> TarEntry {
        TarEntry(path: path, kind: .directory, mode: 0o755)
    }

    /// The layer's bytes, tarred and compressed as they are asked for.
    func stream() -> LayerStream { LayerStream(layer: self) }
}

/// A layer on its way into a registry. Memory stays bounded: a piece of a file and a piece of output at a time.
struct LayerStream: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    typealias Failure = any Error

    /// Fast rather than small: weights hardly compress, and the network is not the bottleneck.
    private static let level = 1
    private static let readSize = 128 << 10
    private static let pieceSize = 64 << 10

    let layer: ModelLayer
    private let whole = Whole()

    /// Known when the stream has ended.
    fileprivate final class Whole: Sendable {
        let diffID = Mutex<Digest?>(nil)
    }

    init(layer: ModelLayer) { self.layer = layer }

    /// The digest of the unpacked layer, once everything has been read.
    var diffID: Digest? { whole.diffID.withLock { $0 } }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(items: layer.items[...], spool: layer.tree.spool, whole: whole)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        private var items: ArraySlice<ModelLayer.Item>
        private let spool: SpoolFile
        private let whole: Whole
        private var writer = TarWriter()
        private var hash = SHA256()
        private let deflater = Deflater(.gzip, level: LayerStream.level)
        private var reading: (offset: UInt64, left: UInt64)?
        private var isDone = false

        fileprivate init(items: ArraySlice<ModelLayer.Item>, spool: SpoolFile, whole: Whole) {
            self.items = items
            self.spool = spool
            self.whole = whole
        }

        mutating func next() async throws -> [UInt8]? {
            var output: [UInt8] = []
            // Compressing is long work on threads that others need too.
            await Task.yield()
            while !isDone, output.count < LayerStream.pieceSize {
                try Task.checkCancellation()
                try step(into: &output)
            }
            return output.isEmpty ? nil : output
        }

        private mutating func step(into output: inout [UInt8]) throws {
            var tar: [UInt8] = []
            if let (offset, left) = reading {
                let count = Int(Swift.min(left, UInt64(LayerStream.readSize)))
                let bytes = try spool.read(at: offset, count: count)
                guard bytes.count == count else {
                    throw ComposerError(.interrupted, "spool file: wanted \(count) bytes at \(offset), found \(bytes.count)")
                }
                writer.append(bytes, into: &tar)
                reading = left == UInt64(count) ? nil : (offset + UInt64(count), left - UInt64(count))
            } else if let item = items.popFirst() {
                begin(item, into: &tar)
            } else {
                writer.finish(into: &tar)
                isDone = true
            }
            hash.update(tar)
            deflater.deflate(tar, into: &output)
            guard isDone else { return }
            deflater.finish(into: &output)
            let digest = Digest(sha256: hash.finish())
            whole.diffID.withLock { $0 = digest }
        }

        private mutating func begin(_ item: ModelLayer.Item, into tar: inout [UInt8]) {
            switch item {
            case .entry(let entry): writer.begin(entry, into: &tar)
            case .bytes(let entry, let bytes):
                writer.begin(entry, into: &tar)
                if !bytes.isEmpty { writer.append(bytes, into: &tar) }
            case .spooled(let entry, let offset):
                writer.begin(entry, into: &tar)
                if entry.size > 0 { reading = (offset, entry.size) }
            }
        }
    }
}
