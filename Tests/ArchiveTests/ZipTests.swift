// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Archive

struct ZipTests {
    private func content<Bytes>(_ entry: ZipEntry, _ archive: ZipArchive<Bytes>) throws -> [UInt8] {
        var content = try archive.content(of: entry)
        var bytes: [UInt8] = []
        while let piece = try content.next() { bytes += piece }
        return bytes
    }

    @Test(arguments: [true, false]) func `archives of other programs read, from memory and from a spool file`(isWide: Bool) throws {
        let bytes = isWide ? Fixture.zip64 : Fixture.zip
        let spool = try SpoolFile(in: "/tmp")
        for start in stride(from: 0, to: bytes.count, by: 100) {
            try spool.append(Array(bytes[start..<min(start + 100, bytes.count)]))
        }
        #expect(spool.size == bytes.size)
        let archive = try ZipArchive(bytes, entryLimit: 4)
        let spooled = try ZipArchive(spool, entryLimit: 4)
        #expect(archive.entries == spooled.entries)
        #expect(archive.entries.map(\.path) == ["dir/", "dir/a.bin", "dir/größe", "dir/link"])
        #expect(archive.entries.map(\.kind) == [.directory, .file, .file, .symlink])
        #expect(archive.entries.map(\.mode) == [0o755, 0o644, 0o600, 0o777])
        let wanted = [[], Fixture.sample, Array("utf8".utf8), Array("a.bin".utf8)]
        #expect(try archive.entries.map { try content($0, archive) } == wanted)
        #expect(try spooled.entries.map { try content($0, spooled) } == wanted)
        #expect(archive.entries.map(\.size) == wanted.map { UInt64($0.count) })
    }

    @Test func `every cut of an archive is an error`() {
        for end in 0..<Fixture.zip.count {
            #expect(throws: ArchiveError.self) { try ZipArchive(Array(Fixture.zip[..<end]), entryLimit: 10) }
        }
    }

    @Test func `no flipped byte passes for the same files`() throws {
        let whole = try ZipArchive(Fixture.zip, entryLimit: 10)
        let names = whole.entries.map(\.path)
        let contents = try whole.entries.map { try content($0, whole) }
        for index in Fixture.zip.indices {
            var bytes = Fixture.zip
            bytes[index] ^= 0x10
            do {
                let archive = try ZipArchive(bytes, entryLimit: 10)
                let read = try archive.entries.map { try content($0, archive) }
                // Names, modes, times and comments have no checksum: the contents have.
                #expect(read == contents || archive.entries.map(\.path) != names, "byte \(index)")
            } catch {
                #expect(error is ArchiveError)
            }
        }
    }

    @Test func `more entries than the limit are refused`() {
        #expect(throws: ArchiveError.tooLarge("zip directory of 4 entries, at most 3 are read")) {
            try ZipArchive(Fixture.zip, entryLimit: 3)
        }
    }

    @Test func `a comment that holds an end record does not hide the real one`() throws {
        let bytes = Array(Fixture.zip.dropLast(11))
        let comment = [0x50, 0x4b, 5, 6] + [UInt8](repeating: 0, count: 18)
        #expect(Fixture.zip.suffix(9) == Array("a comment".utf8)[...])
        let archive = try ZipArchive(bytes + [22, 0] + comment.map { UInt8($0) }, entryLimit: 10)
        // The record in the comment also ends the file exactly: the last wins, as it does for other readers.
        #expect(archive.entries.isEmpty)
    }

    @Test func `an encrypted entry and an unknown method are refused by name`() throws {
        var bytes = Fixture.zip
        let directory = try #require(bytes.indices.first { bytes.count - $0 > 4 && bytes.littleEndian($0, 4) == 0x0201_4b50 })
        bytes[directory + 8] |= 1
        let encrypted = try ZipArchive(bytes, entryLimit: 10)
        #expect(throws: ArchiveError.unsupported("zip entry \"dir/\" is encrypted")) { try content(encrypted.entries[0], encrypted) }
        bytes[directory + 8] = 0
        bytes[directory + 10] = 12
        let packed = try ZipArchive(bytes, entryLimit: 10)
        #expect(throws: ArchiveError.unsupported("zip entry \"dir/\" is compressed by method 12, wanted 0 or 8")) {
            try content(packed.entries[0], packed)
        }
    }

    @Test func `a spool file reads what was written, anywhere`() throws {
        let spool = try SpoolFile(in: "/tmp")
        #expect(try spool.read(at: 0, count: 10).isEmpty)
        try spool.append([1, 2, 3])
        try spool.append([4, 5])
        #expect(try spool.read(at: 1, count: 3) == [2, 3, 4])
        #expect(try spool.read(at: 4, count: 100) == [5])
        #expect(try spool.read(at: 5, count: 1).isEmpty)
        #expect { try SpoolFile(in: "/no/such/folder") } throws: { "\($0)".hasPrefix("spool file: cannot make a file in") }
    }
}
