// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
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

    /// The plain body. No more than `limit` bytes and a piece come into being, however far the packed ones would go.
    func unpacked(_ body: [UInt8], limit: Int) throws(PredictionError) -> [UInt8] {
        do throws(ArchiveError) { return try inflated(body, limit: limit) } catch {
            if case .tooLarge = error { throw .bodyTooLarge(limit: limit) }
            throw .malformed("the body wants content-encoding \(rawValue), got something else: \(error)")
        }
    }

    private func inflated(_ body: [UInt8], limit: Int) throws(ArchiveError) -> [UInt8] {
        let inflater = Inflater(self == .gzip ? .gzip : Self.isWrapped(body) ? .zlib : .none)
        var plain: [UInt8] = []
        inflater.feed(body)
        while let piece = try inflater.next() {
            guard plain.count + piece.count <= limit else { throw .tooLarge("over \(limit) bytes") }
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

    fileprivate func unpackedAside(_ body: [UInt8], limit: Int) async throws(PredictionError) -> [UInt8] {
        try await withTaskExecutorPreference(globalConcurrentExecutor) { await unpackedElsewhere(body, limit: limit) }.get()
    }

    fileprivate func packedAside(_ body: [UInt8]) async -> [UInt8] {
        await withTaskExecutorPreference(globalConcurrentExecutor) { await packedElsewhere(body) }
    }

    @concurrent private func unpackedElsewhere(_ body: [UInt8], limit: Int) async -> Result<[UInt8], PredictionError> {
        Result { () throws(PredictionError) in try unpacked(body, limit: limit) }
    }

    @concurrent private func packedElsewhere(_ body: [UInt8]) async -> [UInt8] { packed(body) }
}

extension FrontCore {
    /// The request's body, unpacked. Nothing is unpacked for a name that is not served.
    func body(of request: WireRequest, for visit: Visit) async throws(PredictionError) -> [UInt8] {
        guard let text = request.headers["content-encoding"], let coding = try ContentCoding.named(text) else { return request.body }
        guard let target = visit.target else { return request.body }
        _ = visit.mayBeServable ? try model(at: target.key) : try route(to: target)
        // Packed bytes may be a thousandth of the plain ones, so only the smallest are unpacked here.
        guard request.body.count <= ContentCoding.least else { return try await coding.unpackedAside(request.body, limit: maxBody) }
        return try coding.unpacked(request.body, limit: maxBody)
    }
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
