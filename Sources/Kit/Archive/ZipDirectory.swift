// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Where a zip archive's directory lies: from the end record, or zip64's where there is one.
struct ZipDirectory {
    static let entrySize = 46
    private static let endSize = 22
    private static let locatorSize = 20

    var entryCount: UInt64
    var size: UInt64
    var offset: UInt64

    /// Finds the directory of an archive.
    init(in bytes: some RandomAccess) throws(ArchiveError) {
        let (end, position) = try ZipDirectory.endRecord(of: bytes)
        let disks = (end.littleEndian(4, 2), end.littleEndian(6, 2))
        entryCount = end.littleEndian(10, 2)
        size = end.littleEndian(12, 4)
        offset = end.littleEndian(16, 4)
        var isSplit = (disks.0 != 0 && disks.0 != 0xffff) || (disks.1 != 0 && disks.1 != 0xffff)
        if let wide = try ZipDirectory.wideRecord(before: position, in: bytes) {
            isSplit = wide.littleEndian(16, 4) != 0 || wide.littleEndian(20, 4) != 0
            entryCount = wide.littleEndian(32, 8)
            size = wide.littleEndian(40, 8)
            offset = wide.littleEndian(48, 8)
        }
        guard !isSplit else { throw .unsupported("zip archive in several parts") }
        guard offset <= position, size <= position - offset else {
            throw .corrupt("zip directory of \(size) bytes at \(offset) does not lie before its end record at \(position)")
        }
        guard entryCount <= size / UInt64(ZipDirectory.entrySize) else {
            throw .corrupt("zip directory of \(size) bytes cannot hold \(entryCount) entries")
        }
    }

    /// The end record and its place: the last signature whose comment reaches exactly to the end.
    private static func endRecord(of bytes: some RandomAccess) throws(ArchiveError) -> (record: [UInt8], position: UInt64) {
        let window = min(bytes.size, UInt64(endSize + 0xffff))
        let start = bytes.size - window
        let tail = try bytes.read(at: start, exactly: Int(window), of: "zip end record")
        for index in stride(from: tail.count - endSize, through: 0, by: -1)
        where tail[index] == 0x50 && tail.littleEndian(index, 4) == 0x0605_4b50 {
            let commentLength = Int(tail.littleEndian(index + 20, 2))
            if index + endSize + commentLength == tail.count {
                return (Array(tail[index..<(index + endSize)]), start + UInt64(index))
            }
        }
        throw .truncated("zip archive has no end record")
    }

    /// zip64's end record, where a locator before the old one leads to it.
    private static func wideRecord(before position: UInt64, in bytes: some RandomAccess) throws(ArchiveError) -> [UInt8]? {
        guard position >= UInt64(locatorSize) else { return nil }
        let locator = try bytes.read(at: position - UInt64(locatorSize), exactly: locatorSize, of: "zip64 locator")
        guard locator.littleEndian(0, 4) == 0x0706_4b50 else { return nil }
        let record = try bytes.read(at: locator.littleEndian(8, 8), exactly: 56, of: "zip64 end record")
        guard record.littleEndian(0, 4) == 0x0606_4b50 else { throw .corrupt("zip64 end record has no signature") }
        return record
    }
}

extension [UInt8] {
    /// The unsigned number in `count` bytes at `offset`, lowest byte first.
    func littleEndian(_ offset: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (offset..<(offset + count)).reversed() { value = value << 8 | UInt64(self[index]) }
        return value
    }
}
