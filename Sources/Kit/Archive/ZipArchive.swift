// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One thing in a zip archive, without its content.
package struct ZipEntry: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case file, directory
        /// Its content is the target.
        case symlink
        /// A device, pipe or socket of a Unix archiver.
        case special
    }

    /// As written in the archive: neither cleaned nor trusted.
    package var path: String
    package var kind: Kind
    /// Bytes of content, once decoded.
    package var size: UInt64
    /// Permission bits, where the archive was made on Unix.
    package var mode: UInt32?

    var method: UInt16
    var crc: UInt32
    var compressedSize: UInt64
    var headerOffset: UInt64
    var isEncrypted: Bool
}

/// A zip archive in something seekable: its directory is read at once, contents one by one.
///
/// Reads stored and deflated entries and zip64. Encryption, other methods and archives in several parts are refused.
package struct ZipArchive<Bytes: RandomAccess>: Sendable {
    /// In the order of the directory.
    package let entries: [ZipEntry]
    let bytes: Bytes

    /// Reads the directory.
    /// - Parameter entryLimit: more entries than this are refused before they take memory.
    package init(_ bytes: Bytes, entryLimit: Int) throws(ArchiveError) {
        let place = try ZipDirectory(in: bytes)
        guard place.entryCount <= UInt64(entryLimit) else {
            throw .tooLarge("zip directory of \(place.entryCount) entries, at most \(entryLimit) are read")
        }
        entries = try ZipArchive.read(place, in: bytes)
        self.bytes = bytes
    }

    /// A reader of one entry's content.
    package func content(of entry: ZipEntry) throws(ArchiveError) -> ZipContent<Bytes> {
        try ZipContent(of: entry, in: bytes)
    }

    private static func read(_ place: ZipDirectory, in bytes: Bytes) throws(ArchiveError) -> [ZipEntry] {
        var entries: [ZipEntry] = []
        var offset = place.offset
        let end = place.offset + place.size
        while UInt64(entries.count) < place.entryCount {
            let what = "zip directory entry \(entries.count + 1)"
            let fixed = try bytes.read(at: offset, exactly: ZipDirectory.entrySize, of: what)
            guard fixed.littleEndian(0, 4) == 0x0201_4b50 else { throw .corrupt("\(what) has no signature") }
            let nameLength = Int(fixed.littleEndian(28, 2))
            let extraLength = Int(fixed.littleEndian(30, 2))
            let commentLength = UInt64(fixed.littleEndian(32, 2))
            let rest = try bytes.read(
                at: offset + UInt64(ZipDirectory.entrySize), exactly: nameLength + extraLength, of: what)
            entries.append(try ZipEntry(fixed, name: rest[..<nameLength], extra: rest[nameLength...]))
            offset += UInt64(ZipDirectory.entrySize + rest.count) + commentLength
            guard offset <= end else { throw .corrupt("\(what) reaches over the directory's end") }
        }
        return entries
    }
}

extension ZipEntry {
    /// From the parts of a directory entry.
    init(_ fixed: [UInt8], name: ArraySlice<UInt8>, extra: ArraySlice<UInt8>) throws(ArchiveError) {
        guard let path = String(validating: name, as: UTF8.self), !name.contains(0) else {
            throw .unsupported("zip entry name that is not UTF-8")
        }
        self.path = path
        isEncrypted = fixed.littleEndian(8, 2) & 1 != 0
        method = UInt16(fixed.littleEndian(10, 2))
        crc = UInt32(fixed.littleEndian(16, 4))
        compressedSize = fixed.littleEndian(20, 4)
        size = fixed.littleEndian(24, 4)
        headerOffset = fixed.littleEndian(42, 4)
        let unix = [3, 19].contains(fixed[5]) ? UInt32(fixed.littleEndian(40, 2)) : 0
        kind = ZipEntry.kind(path: path, unixMode: unix)
        mode = unix == 0 ? nil : unix & 0o7777
        try widen(from: extra)
    }

    private static func kind(path: String, unixMode: UInt32) -> Kind {
        switch unixMode & 0o170000 {
        case 0o120000: .symlink
        case 0o040000: .directory
        case 0, 0o100000: path.hasSuffix("/") ? .directory : .file
        default: .special
        }
    }

    /// Takes the zip64 values, in their fixed order, for each field that is all ones.
    private mutating func widen(from extra: ArraySlice<UInt8>) throws(ArchiveError) {
        var wide = try ZipEntry.zip64Field(of: extra)
        func take(_ current: UInt64) throws(ArchiveError) -> UInt64 {
            guard current == 0xffff_ffff else { return current }
            // Without a zip64 field it is a real size of 4 GiB less one.
            guard let field = wide else { return current }
            guard field.count >= 8 else { throw .corrupt("zip64 field of \"\(path)\" is too short") }
            wide = field.dropFirst(8)
            return Array(field.prefix(8)).littleEndian(0, 8)
        }
        size = try take(size)
        compressedSize = try take(compressedSize)
        headerOffset = try take(headerOffset)
    }

    private static func zip64Field(of extra: ArraySlice<UInt8>) throws(ArchiveError) -> ArraySlice<UInt8>? {
        var rest = extra
        while rest.count >= 4 {
            let head = Array(rest.prefix(4))
            let length = Int(head.littleEndian(2, 2))
            rest = rest.dropFirst(4)
            guard length <= rest.count else { throw .corrupt("zip extra field reaches over its end") }
            if head.littleEndian(0, 2) == 1 { return rest.prefix(length) }
            rest = rest.dropFirst(length)
        }
        return nil
    }
}
