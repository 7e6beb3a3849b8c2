// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import KubeCore
import Synchronization
import Wire

/// How a body is packed on its way. (RFC 9110 §8.4)
enum ContentCoding: String {
    case gzip, deflate

    /// Bodies under this size are not worth packing.
    static let least = 1024
    /// Bodies over this size are packed and unpacked beside the loop, which has others to serve meanwhile.
    static let quick = 64 << 10

    /// The coding of a request's body; nil for a plain one.
    static func named(_ text: String) throws(PredictionError) -> ContentCoding? {
        switch text.lowercased() {
        case "", "identity": return nil
        case "gzip", "x-gzip": return .gzip
        case "deflate": return .deflate
        default: throw .unsupportedCoding(String(text.prefix(100)))
        }
    }

    /// What an `Accept-Encoding` likes best of what there is; nil for nothing.
    static func accepted(by text: String) -> ContentCoding? {
        var best: (coding: ContentCoding, weight: Double)?
        for entry in text.split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.trimmingPrefix { $0 == " " || $0 == "\t" } }
            guard let name = parts.first?.prefix(while: { $0 != " " }).lowercased() else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            // gzip is what everybody means alike, so it stands for anything, and wins a draw.
            guard let coding = name == "*" ? .gzip : ContentCoding(rawValue: name), weight > 0 else { continue }
            if best.map({ weight > $0.weight || weight == $0.weight && coding == .gzip }) ?? true { best = (coding, weight) }
        }
        return best?.coding
    }

    /// The plain body. No more than `limit` bytes and a piece come into being, however far the packed ones would go, and none that the
    /// budget does not have; what the plain body takes of it is for the caller to give back.
    func unpacked(_ body: [UInt8], limit: Int, from budget: ByteBudget = ByteBudget()) throws(PredictionError) -> [UInt8] {
        var taken = 0
        do throws(ArchiveError) {
            if let plain = try inflated(body, limit: limit, from: budget, &taken) { return plain }
        } catch {
            budget.give(taken)
            if case .tooLarge = error { throw .bodyTooLarge(limit: limit) }
            throw .malformed("the body wants content-encoding \(rawValue), got something else: \(error)")
        }
        budget.give(taken)
        throw .crowded("too many packed bodies at once")
    }

    /// Nil where the budget has no more.
    private func inflated(
        _ body: [UInt8], limit: Int, from budget: ByteBudget, _ taken: inout Int
    ) throws(ArchiveError) -> [UInt8]? {
        let inflater = Inflater(self == .gzip ? .gzip : Self.isWrapped(body) ? .zlib : .none)
        var plain: [UInt8] = []
        inflater.feed(body)
        while let piece = try inflater.next() {
            guard plain.count + piece.count <= limit else { throw .tooLarge("over \(limit) bytes") }
            guard budget.take(piece.count) else { return nil }
            taken += piece.count
            plain += piece
        }
        try inflater.finish()
        return plain
    }

    /// The packed body.
    func packed(_ body: [UInt8]) -> [UInt8] {
        let deflater = Deflater(self == .gzip ? .gzip : .zlib, level: 1)
        var packed: [UInt8] = []
        deflater.deflate(body, into: &packed)
        deflater.finish(into: &packed)
        return packed
    }

    /// `deflate` means zlib's wrapping, but there are callers who send it bare.
    private static func isWrapped(_ body: [UInt8]) -> Bool {
        body.count >= 2 && body[0] & 0x0f == 8 && (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
    }

    // The loop is what a handler's task prefers, so leaving it takes more than `@concurrent`.

    fileprivate func unpackedAside(
        _ body: [UInt8], limit: Int, from budget: ByteBudget
    ) async throws(PredictionError) -> [UInt8] {
        try await withTaskExecutorPreference(globalConcurrentExecutor) { await unpackedElsewhere(body, limit: limit, from: budget) }.get()
    }

    fileprivate func packedAside(_ body: [UInt8]) async -> [UInt8] {
        await withTaskExecutorPreference(globalConcurrentExecutor) { await packedElsewhere(body) }
    }

    @concurrent private func unpackedElsewhere(
        _ body: [UInt8], limit: Int, from budget: ByteBudget
    ) async -> Result<[UInt8], PredictionError> {
        Result { () throws(PredictionError) in try unpacked(body, limit: limit, from: budget) }
    }

    @concurrent private func packedElsewhere(_ body: [UInt8]) async -> [UInt8] { packed(body) }
}

extension FrontCore {
    /// The request's body, unpacked. Nothing is unpacked for a name that is not served, or for who may not
    /// ask it; `close` gives the room back.
    func body(of request: WireRequest, for visit: inout Visit) async throws(PredictionError) -> [UInt8] {
        guard let text = request.headers["content-encoding"], let coding = try ContentCoding.named(text) else { return request.body }
        guard let target = visit.target else { return request.body }
        let route = visit.mayBeServable ? try model(at: target.key) : try route(to: target)
        if !route.access.isEmpty { try await access.admit(request.headers, by: route.access) }
        // Packed bytes may be a thousandth of the plain ones, so only the smallest are unpacked here.
        let plain =
            request.body.count <= ContentCoding.least
            ? try coding.unpacked(request.body, limit: maxBody, from: room)
            : try await coding.unpackedAside(request.body, limit: maxBody, from: room)
        visit.unpacked = plain.count
        return plain
    }
}

/// Room in bytes that many share, so that packed bodies cannot become more than fits.
final class ByteBudget: Sendable {
    private let used = Atomic<Int>(0)
    private let limit: Int

    init(_ limit: Int = .max) { self.limit = limit }

    /// Takes so many bytes, or none where they are not there.
    func take(_ count: Int) -> Bool {
        guard used.wrappingAdd(count, ordering: .relaxed).newValue <= limit else {
            give(count)
            return false
        }
        return true
    }

    func give(_ count: Int) { used.wrappingSubtract(count, ordering: .relaxed) }

    var isUntouched: Bool { used.load(ordering: .relaxed) == 0 }
}

extension WireResponse {
    /// Packs the body if the caller takes it so and it is worth it.
    mutating func compress(for request: WireRequest) async {
        guard body.count >= ContentCoding.least, let text = request.headers["accept-encoding"],
            let coding = ContentCoding.accepted(by: text)
        else { return }
        body = body.count <= ContentCoding.quick ? coding.packed(body) : await coding.packedAside(body)
        headers.append("content-encoding", coding.rawValue)
        headers.append("vary", "accept-encoding")
    }
}
