// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Archive

struct TarTests {
    static let longName = String(repeating: "l", count: 150) + "/" + String(repeating: "n", count: 150)

    @Test(arguments: [1, 3, 511, 512, 513, 100_000], [true, false])
    func `archives of other programs read the same at any chunking`(size: Int, isPax: Bool) throws {
        let found = try readTar(isPax ? Fixture.paxTar : Fixture.gnuTar, by: size)
        let expected: [(String, TarEntry.Kind, [UInt8])] = [
            ("dir", .directory, []),
            ("dir/a.bin", .file, Fixture.sample),
            (Self.longName, .file, Array("long".utf8)),
            ("dir/größe", .file, Array("utf8".utf8)),
            ("dir/link", .symlink(target: "a.bin"), []),
            ("dir/longlink", .symlink(target: String(repeating: "t", count: 120)), []),
            ("dir/hard", .hardlink(target: "dir/a.bin"), []),
            ("dir/empty", .file, []),
            ("dir/pipe", .fifo, []),
            ("dir/null", .characterDevice, []),
        ]
        #expect(found.map(\.entry.path.trimmed) == expected.map(\.0))
        #expect(found.map(\.entry.kind) == expected.map(\.1))
        #expect(found.map(\.content) == expected.map(\.2))
        #expect(found[0].entry.mode == 0o755 && found[1].entry.mode == 0o644)
    }

    @Test(arguments: [
        "a", "dir/", String(repeating: "a", count: 100), String(repeating: "a", count: 101), longName,
        String(repeating: "d", count: 155) + "/" + String(repeating: "n", count: 100),
        String(repeating: "d", count: 154) + "/" + String(repeating: "n", count: 99) + "/",
        "größe", String(repeating: "é", count: 300),
    ])
    func `what is written reads back`(path: String) throws {
        var writer = TarWriter()
        var bytes: [UInt8] = []
        let kind: TarEntry.Kind = path.hasSuffix("/") ? .directory : .file
        let entry = TarEntry(path: path, kind: kind, size: kind == .file ? 700 : 0, mode: 0o600)
        let link = TarEntry(path: "link", kind: .symlink(target: path), mode: 0o777)
        writer.begin(entry, into: &bytes)
        if kind == .file {
            writer.append([UInt8](repeating: 1, count: 300), into: &bytes)
            writer.append([UInt8](repeating: 2, count: 400), into: &bytes)
        }
        writer.begin(link, into: &bytes)
        writer.finish(into: &bytes)
        #expect(bytes.count % 512 == 0)
        let found = try readTar(bytes, by: 100)
        #expect(found.map(\.entry) == [entry, link])
        #expect(found[0].content.count == Int(entry.size))
    }

    @Test func `a size over eight gigabytes goes through pax`() throws {
        var writer = TarWriter()
        var bytes: [UInt8] = []
        writer.begin(TarEntry(path: "big", kind: .file, size: 1 << 34), into: &bytes)
        var reader = TarReader()
        reader.feed(bytes)
        #expect(try reader.next() == .entry(TarEntry(path: "big", kind: .file, size: 1 << 34)))
    }

    @Test(arguments: 1...300) func `a pax record counts its own digits`(length: Int) throws {
        let record = TarWriter.record("path", String(repeating: "x", count: length))
        var read = PaxRecords()
        try read.read(record)
        #expect(read.path?.count == length)
    }

    @Test func `sizes in GNU's binary form are read`() throws {
        var writer = TarWriter()
        var block: [UInt8] = []
        writer.begin(TarEntry(path: "f", kind: .file, size: 1), into: &block)
        block.replaceSubrange(TarField.size, with: [0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5])
        let sum = String(TarField.sum(of: block), radix: 8)
        block.replaceSubrange(TarField.checksum, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
        var reader = TarReader()
        reader.feed(block)
        #expect(try reader.next() == .entry(TarEntry(path: "f", kind: .file, size: 0x2_0000_0005)))
    }

    @Test func `every cut before the end mark is truncated`() throws {
        let end = try #require(Fixture.gnuTar.indices.last { Fixture.gnuTar[$0] != 0 })
        let marked = (end / 512 + 1) * 512 + 512
        for cut in stride(from: 0, to: marked, by: 37) {
            #expect("cut at \(cut)") { try readTar(Array(Fixture.gnuTar[..<cut]), by: 4096) } throws: { error in
                if case ArchiveError.truncated = error { true } else { false }
            }
        }
        _ = try readTar(Array(Fixture.gnuTar[..<marked]), by: 4096)
    }

    @Test func `what is not tar is corrupt, and says why`() {
        #expect(throws: ArchiveError.corrupt("tar header: checksum is not an octal number")) {
            try readTar([UInt8](repeating: 0x78, count: 1024), by: 512)
        }
        var bytes = Fixture.gnuTar
        bytes[0] ^= 1
        #expect { try readTar(bytes, by: 512) } throws: { "\($0)".hasPrefix("corrupt: tar header: checksum") }
    }

    @Test(arguments: ["5 a=b\n", "99 path=x\n", "path=x\n", "0 path=x\n", "8 path=xx\n", "11 size=-1\n", "10 path=x", "7 pathx\n"])
    func `pax records that lie are corrupt`(record: String) {
        #expect(throws: ArchiveError.self) {
            var records = PaxRecords()
            try records.read(Array(record.utf8))
        }
    }

    @Test func `a header of a gigabyte is refused before it is gathered`() throws {
        var writer = TarWriter()
        var bytes: [UInt8] = []
        writer.begin(TarEntry(path: "x", kind: .other("x"), size: 1 << 30), into: &bytes)
        #expect(throws: ArchiveError.tooLarge("tar header of 1073741824 bytes, at most 1048576 are read")) {
            try readTar(bytes, by: 512)
        }
    }
}

extension String {
    /// Without the final slash that some writers give to directories.
    fileprivate var trimmed: String { hasSuffix("/") ? String(dropLast()) : self }
}
