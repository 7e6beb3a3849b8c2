// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CZlib

/// The content of one zip entry, decoded in pieces, with its size and checksum proven at the end.
package struct ZipContent<Bytes: RandomAccess> {
    private static var pieceSize: Int { 65_536 }

    private let entry: ZipEntry
    private let bytes: Bytes
    private let decoder: any ByteDecoder
    private var offset: UInt64
    private let end: UInt64
    private var size: UInt64 = 0
    private var crc: UInt = 0
    private var isDone = false

    init(of entry: ZipEntry, in bytes: Bytes) throws(ArchiveError) {
        guard !entry.isEncrypted else { throw .unsupported("zip entry \"\(entry.path)\" is encrypted") }
        switch entry.method {
        case 0: decoder = PlainDecoder()
        case 8: decoder = Inflater(.none)
        default: throw .unsupported("zip entry \"\(entry.path)\" is compressed by method \(entry.method), wanted 0 or 8")
        }
        let what = "zip entry \"\(entry.path)\""
        let header = try bytes.read(at: entry.headerOffset, exactly: 30, of: what)
        guard header.littleEndian(0, 4) == 0x0403_4b50 else { throw .corrupt("\(what) has no header at \(entry.headerOffset)") }
        offset = entry.headerOffset + 30 + header.littleEndian(26, 2) + header.littleEndian(28, 2)
        guard offset <= bytes.size, entry.compressedSize <= bytes.size - offset else {
            throw .truncated("\(what) wants \(entry.compressedSize) bytes at \(offset)")
        }
        end = offset + entry.compressedSize
        self.entry = entry
        self.bytes = bytes
    }

    /// The next bytes, or nil at the end of a content that proved whole.
    package mutating func next() throws(ArchiveError) -> [UInt8]? {
        while !isDone {
            if let piece = try decoder.next() {
                try count(piece)
                return piece
            }
            guard offset < end else {
                try prove()
                break
            }
            let wanted = Int(min(UInt64(Self.pieceSize), end - offset))
            let chunk = try bytes.read(at: offset, exactly: wanted, of: "zip entry \"\(entry.path)\"")
            offset += UInt64(wanted)
            decoder.feed(chunk)
        }
        return nil
    }

    private mutating func count(_ piece: [UInt8]) throws(ArchiveError) {
        size += UInt64(piece.count)
        crc = crc32(crc, piece, UInt32(piece.count))
        guard size <= entry.size else { throw .corrupt("zip entry \"\(entry.path)\" is larger than the \(entry.size) bytes it says") }
    }

    private mutating func prove() throws(ArchiveError) {
        isDone = true
        try decoder.finish()
        guard size == entry.size else {
            throw .corrupt("zip entry \"\(entry.path)\" has \(size) bytes, \(entry.size) wanted")
        }
        guard UInt32(crc) == entry.crc else { throw .corrupt("zip entry \"\(entry.path)\" fails its checksum") }
    }
}
