// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import Contract
import OCI
import Testing

@testable import Composer

struct ModelLayerTests {
    private func layer(_ files: [(TarEntry, String)], contract: [UInt8] = [1, 2]) async throws -> ModelLayer {
        let builder = try FileTreeBuilder(in: "/tmp", limits: SourceLimits())
        var unpacker = SourceUnpacker(into: builder, singleName: nil, limits: SourceLimits(), folder: "/tmp")
        try unpacker.take(tar(files))
        return ModelLayer(tree: try await unpacker.finish().finish(), contract: contract)
    }

    private func bytes(_ layer: ModelLayer) async throws -> (packed: [UInt8], diffID: Digest?) {
        let stream = layer.stream()
        var bytes: [UInt8] = []
        for try await piece in stream { bytes += piece }
        return (bytes, stream.diffID)
    }

    private static let entries: [(TarEntry, String)] = [
        (TarEntry(path: "b/z", kind: .file, mode: 0o600), "z"), (TarEntry(path: "run", kind: .file, mode: 0o777), "#!"),
        (TarEntry(path: "b-a", kind: .file), ""), (TarEntry(path: "b/link", kind: .symlink(target: "z")), ""),
    ]

    @Test func `the layer holds the contract and the files, sorted, with parents and plain modes`() async throws {
        let (packed, diffID) = try await bytes(layer(Self.entries))
        let unpacked = try gunzip(packed)
        #expect(diffID == Digest(of: unpacked))
        let found = try untar(unpacked)
        #expect(
            found.map(\.entry) == [
                TarEntry(path: "model/", kind: .directory, mode: 0o755),
                TarEntry(path: "model/contract.protobin", kind: .file, size: 2, mode: 0o644),
                TarEntry(path: "model/files/", kind: .directory, mode: 0o755),
                TarEntry(path: "model/files/b/", kind: .directory, mode: 0o755),
                TarEntry(path: "model/files/b-a", kind: .file, mode: 0o644),
                TarEntry(path: "model/files/b/link", kind: .symlink(target: "z"), mode: 0o777),
                TarEntry(path: "model/files/b/z", kind: .file, size: 1, mode: 0o644),
                TarEntry(path: "model/files/run", kind: .file, size: 2, mode: 0o755),
            ])
        #expect(found.map(\.text) == ["", "\u{1}\u{2}", "", "", "", "", "z", "#!"])
    }

    @Test func `the same files give the same bytes, in whatever order they came`() async throws {
        let one = try await bytes(layer(Self.entries))
        let other = try await bytes(layer(Self.entries.reversed()))
        #expect(one.packed == other.packed && one.diffID == other.diffID)
        #expect(try await bytes(layer(Self.entries, contract: [1])).diffID != one.diffID)
    }

    @Test func `the bytes of a known layer never change`() async throws {
        // A change here gives every model a new digest: it needs a reason and a line in the changelog.
        let (_, diffID) = try await bytes(layer([(TarEntry(path: "a", kind: .file), "1")], contract: []))
        #expect("\(diffID?.hex.prefix(16) ?? "")" == "7216804062b081c3")
    }
}

struct BuildQueueTests {
    private func order(_ key: String) -> BuildOrder {
        BuildOrder(
            key: key, model: "m", version: 1, repository: "r", runtimeImage: "i", source: .external, sourceDigest: "", signature: signature,
            fingerprint: "")
    }

    private static let image = BuiltImage(repository: "r", tag: "1", digest: "d", size: 1, log: [], seconds: 1)

    @Test func `no more run than there is room for, in the order of asking`() throws {
        var queue = BuildQueue(concurrency: 2, limit: 10)
        for key in ["a", "b", "c"] { #expect(queue.add(order(key)) == true) }
        #expect(queue.add(order("a")) == false)
        let firstTaken = queue.take()
        let first = try #require(firstTaken)
        #expect(first.order.key == "a")
        #expect(queue.take()?.order.key == "b")
        #expect(queue.take() == nil)
        #expect(queue.progress(of: "a") == .running([]) && queue.progress(of: "c") == .queued)
        #expect(queue.finish(first.ticket, .success(Self.image)) == true)
        #expect(queue.take()?.order.key == "c")
        #expect(queue.progress(of: "a") == .finished(Self.image))
        #expect(queue.add(order("a")) == false)
    }

    @Test func `a full queue refuses, to come again`() {
        var queue = BuildQueue(concurrency: 1, limit: 1)
        _ = queue.add(order("a"))
        _ = queue.add(order("b"))
        guard case .failed(let error, _)? = queue.progress(of: "b") else { return #expect(Bool(false)) }
        #expect(error.canHeal)
        #expect(queue.cancel("b") == nil)
        #expect(queue.progress(of: "b") == nil)
    }

    @Test func `a build that was cancelled and begun again is not ended by the first one`() throws {
        var queue = BuildQueue(concurrency: 2, limit: 10)
        _ = queue.add(order("a"))
        let firstTaken = queue.take()
        let first = try #require(firstTaken).ticket
        #expect(queue.cancel("a") == first)
        #expect(!queue.wants(first))
        #expect(queue.note("late", of: first) == false)
        _ = queue.add(order("a"))
        let secondTaken = queue.take()
        let second = try #require(secondTaken).ticket
        #expect(queue.finish(first, .success(Self.image)) == false)
        #expect(queue.progress(of: "a") == .running([]))
        #expect(queue.note("line", of: second) == true)
        #expect(queue.progress(of: "a") == .running(["line"]))
        #expect(queue.finish(second, .failure(ComposerError(.sourceInvalid, "no"))) == true)
        #expect(queue.progress(of: "a") == .failed(ComposerError(.sourceInvalid, "no"), log: ["line", "SourceInvalid: no"]))
        #expect(queue.running.isEmpty)
    }

    @Test func `logs and ended builds are bounded`() throws {
        var queue = BuildQueue(concurrency: 1, limit: 10)
        for number in 0...BuildQueue.endedLimit {
            _ = queue.add(order("\(number)"))
            let ticketTaken = queue.take()
            let ticket = try #require(ticketTaken).ticket
            if number == 1 { for line in 0..<1000 { _ = queue.note("\(line)", of: ticket) } }
            _ = queue.finish(ticket, .success(Self.image))
        }
        #expect(queue.progress(of: "0") == nil)
        guard case .finished(let image)? = queue.progress(of: "1") else { return #expect(Bool(false)) }
        #expect(image.log.count == BuildQueue.logLimit && image.log.first == "0" && image.log.last == "999")
    }
}
