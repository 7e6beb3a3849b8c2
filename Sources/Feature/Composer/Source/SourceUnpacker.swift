// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive

/// Turns the bytes of a source, as they arrive, into files: a tar, a compressed tar, a zip, or a file of its own.
struct SourceUnpacker {
    private enum Phase {
        /// Too little is there to tell what it is. `raw` is what came, `decoded` what a decoder made of it.
        case telling(raw: [[UInt8]], decoded: [UInt8])
        case tar(TarReader)
        case zip(SpoolFile)
        case single
    }

    /// What came before it could be told is kept; a stream that takes more than this to begin is no archive of ours.
    private static let tellingLimit = 8 << 20

    private var builder: FileTreeBuilder
    private let limits: SourceLimits
    private let folder: String
    private let singleName: String?
    private var phase = Phase.telling(raw: [], decoded: [])
    private var decoder: (any ByteDecoder)?
    private var rawSize = 0

    /// - Parameter singleName: what the source is called if it is one file; nil where it must be an archive.
    init(into builder: FileTreeBuilder, singleName: String?, limits: SourceLimits, folder: String) {
        self.builder = builder
        self.singleName = singleName
        self.limits = limits
        self.folder = folder
    }

    /// Takes the next bytes.
    mutating func take(_ chunk: [UInt8]) throws {
        if case .telling(let raw, var decoded) = phase {
            rawSize += chunk.count
            try gather(chunk, raw + [chunk], &decoded)
        } else {
            try pass(chunk)
        }
    }

    /// Ends the source. A zip archive is unpacked only now, with a pause for others after each piece.
    mutating func finish() async throws -> FileTreeBuilder {
        if case .telling(let raw, let decoded) = phase { try begin(raw, decoded) }
        switch phase {
        case .tar(let reader):
            // The decoder first: where the compressed stream was cut, that is the reason.
            try decoder?.finish()
            try reader.finish()
            builder.endFile()
        case .zip(let spool): try await unzip(spool)
        case .single: builder.endFile()
        case .telling: break
        }
        return builder
    }

    /// Keeps what came until there is enough to tell.
    private mutating func gather(_ chunk: [UInt8], _ raw: [[UInt8]], _ decoded: inout [UInt8]) throws {
        let start = decoder == nil ? Array(raw.joined()) : []
        if decoder == nil {
            guard start.count >= ArchiveFormat.prefixSize else {
                phase = .telling(raw: raw, decoded: [])
                return
            }
            decoder = SourceUnpacker.decoder(for: start)
        }
        guard let decoder else { return try begin(raw, []) }
        decoder.feed(start.isEmpty ? chunk : start)
        while let piece = try decoder.next() {
            decoded += piece
            // The tar reader takes over in the middle of the decoder's output.
            if decoded.count >= ArchiveFormat.prefixSize { return try begin(raw, decoded) }
        }
        guard rawSize < SourceUnpacker.tellingLimit else {
            throw ComposerError(.sourceInvalid, "\(rawSize) bytes unpack to only \(decoded.count)")
        }
        phase = .telling(raw: raw, decoded: decoded)
    }

    private static func decoder(for start: [UInt8]) -> (any ByteDecoder)? {
        switch ArchiveFormat(prefix: start) {
        case .gzip: Inflater(.gzip)
        case .zstd: ZstdDecoder()
        default: nil
        }
    }

    /// Decides what the source is, and passes on what was kept.
    private mutating func begin(_ raw: [[UInt8]], _ decoded: [UInt8]) throws {
        let start = Array(raw.joined())
        if decoder == nil, let late = SourceUnpacker.decoder(for: start) {
            // A short source, whole already.
            var whole: [UInt8] = []
            late.feed(start)
            while let piece = try late.next() {
                whole += piece
                if whole.count >= ArchiveFormat.prefixSize { break }
            }
            decoder = late
            return try begin(raw, whole)
        }
        let isPacked = decoder != nil
        switch ArchiveFormat(prefix: isPacked ? decoded : start) {
        case .tar:
            phase = .tar(TarReader())
            try read(isPacked ? decoded : start)
            if let decoder { while let piece = try decoder.next() { try read(piece) } }
        case .zip where !isPacked:
            let spool = try SpoolFile(in: folder)
            try spool.append(start)
            phase = .zip(spool)
        default:
            guard let singleName else {
                throw ComposerError(.sourceInvalid, "the source is neither tar, tar.gz, tar.zst nor zip")
            }
            // A compressed file that holds no tar is kept as it is: whoever reads it knows what it is.
            decoder = nil
            phase = .single
            try builder.beginFile(singleName, isExecutable: false)
            for chunk in raw { try builder.append(chunk) }
        }
    }

    private mutating func pass(_ chunk: [UInt8]) throws {
        switch phase {
        case .tar:
            guard let decoder else { return try read(chunk) }
            decoder.feed(chunk)
            while let piece = try decoder.next() { try read(piece) }
        case .zip(let spool): try spool.append(chunk)
        case .single: try builder.append(chunk)
        case .telling: break
        }
    }

    private mutating func read(_ bytes: [UInt8]) throws {
        guard case .tar(var reader) = phase else { return }
        phase = .telling(raw: [], decoded: [])
        defer { phase = .tar(reader) }
        reader.feed(bytes)
        while let event = try reader.next() {
            switch event {
            case .entry(let entry): try add(entry)
            case .content(let piece): try builder.append(piece)
            }
        }
    }

    private mutating func add(_ entry: TarEntry) throws {
        builder.endFile()
        switch entry.kind {
        case .file: try builder.beginFile(entry.path, isExecutable: entry.mode & 0o100 != 0)
        case .directory: try builder.addFolder(entry.path)
        case .symlink(let target): try builder.addSymlink(entry.path, to: target)
        case .hardlink(let target): try builder.addHardlink(entry.path, to: target)
        case .characterDevice, .blockDevice: throw SourcePath.refused(entry.path, "is a device, wanted files, folders and links")
        case .fifo: throw SourcePath.refused(entry.path, "is a pipe, wanted files, folders and links")
        case .other(let type): throw SourcePath.refused(entry.path, "is of type \"\(type)\", wanted files, folders and links")
        }
        if entry.size == 0 { builder.endFile() }
    }

    private mutating func unzip(_ spool: SpoolFile) async throws {
        let archive = try ZipArchive(spool, entryLimit: limits.entries)
        for entry in archive.entries {
            switch entry.kind {
            case .directory: try builder.addFolder(entry.path)
            case .special: throw SourcePath.refused(entry.path, "is a device or pipe, wanted files, folders and links")
            case .symlink:
                guard entry.size <= UInt64(SourcePath.longest) else { throw SourcePath.refused(entry.path, "is a link that is too long") }
                var content = try archive.content(of: entry)
                var target: [UInt8] = []
                while let piece = try content.next() { target += piece }
                try builder.addSymlink(entry.path, to: String(decoding: target, as: UTF8.self))
            case .file:
                try builder.beginFile(entry.path, isExecutable: (entry.mode ?? 0) & 0o100 != 0)
                var content = try archive.content(of: entry)
                while let piece = try content.next() {
                    try builder.append(piece)
                    try Task.checkCancellation()
                    await Task.yield()
                }
                builder.endFile()
            }
        }
    }
}
