// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import Foundation
import Testing

@testable import Composer

struct SourceUnpackerTests {
    static let files = [("b/c.txt", "three"), ("a.txt", "one"), ("b.txt", "two"), ("b/empty", "")]
    static let expected = ["a.txt": "one", "b.txt": "two", "b": "/", "b/c.txt": "three", "b/empty": ""]

    /// Of zip 3.0: `dir/a` and a link to it, deflated.
    static let zip = [UInt8](
        Data(
            base64Encoded: """
                UEsDBAoAAAAAAOGFdl0AAAAAAAAAAAAAAAAEAAAAZGlyL1BLAwQKAAAAAADhhXZdQ7636AEAAAABAAAACAAAAGRpci9saW5rYVBLAwQUAAAACADhhXZdL/r4\
                SAsAAAB4AAAABQAAAGRpci9hy0jNyclXyKA7CQBQSwECHgMKAAAAAADhhXZdAAAAAAAAAAAAAAAABAAAAAAAAAAAABAA7UEAAAAAZGlyL1BLAQIeAwoAAAAA\
                AOGFdl1DvrfoAQAAAAEAAAAIAAAAAAAAAAAAAAD/oSIAAABkaXIvbGlua1BLAQIeAxQAAAAIAOGFdl0v+vhICwAAAHgAAAAFAAAAAAAAAAEAAACkgUkAAABk\
                aXIvYVBLBQYAAAAAAwADAJsAAAB3AAAAAAA=
                """) ?? Data())

    @Test(arguments: [1, 7, 512, 1 << 20]) func `tar comes out the same, packed or not, at any chunking`(size: Int) async throws {
        let archive = tar(files: Self.files)
        #expect(try await unpacked(archive, by: size) == Self.expected)
        #expect(try await unpacked(gzip(archive), by: size) == Self.expected)
    }

    @Test(arguments: [1, 1 << 20]) func `zip comes out, links too`(size: Int) async throws {
        #expect(try await unpacked(Self.zip, by: size) == ["dir": "/", "dir/a": String(repeating: "hello ", count: 20), "dir/link": "→ a"])
    }

    @Test(arguments: [1, 5, 1 << 20]) func `what is no archive is one file, compressed or not`(size: Int) async throws {
        let text = String(repeating: "x", count: 2000)
        #expect(try await unpacked(Array(text.utf8), by: size) == ["file.bin": text])
        #expect(try await unpacked([], by: size) == ["file.bin": ""])
        for packed in [gzip(Array(text.utf8)), gzip([1]), gzip((0..<5000).map { UInt8(truncatingIfNeeded: ($0 * $0) >> 3) })] {
            #expect(try await unpacked(packed, by: size).keys.sorted() == ["file.bin"])
            #expect(try await unpacked(packed, by: size)["file.bin"] == String(decoding: packed, as: UTF8.self))
        }
    }

    @Test func `where an archive is wanted a single file is refused`() async throws {
        await #expect(throws: ComposerError(.sourceInvalid, "the source is neither tar, tar.gz, tar.zst nor zip")) {
            try await unpacked(Array("text".utf8), name: nil)
        }
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var entries: [(TarEntry, String)]
        var message: String

        init(_ description: String, _ entries: [TarEntry], _ message: String) {
            (testDescription, self.message) = (description, message)
            self.entries = entries.map { ($0, $0.kind == .file ? "x" : "") }
        }
    }

    private static func file(_ path: String) -> TarEntry { TarEntry(path: path, kind: .file) }
    private static func link(_ path: String, _ target: String) -> TarEntry { TarEntry(path: path, kind: .symlink(target: target)) }

    @Test(arguments: [
        Bad("leads up", [file("../x")], "entry \"../x\" leads out of the source by \"..\""),
        Bad("leads up inside", [file("a/../x")], "entry \"a/../x\" leads out of the source by \"..\""),
        Bad("absolute", [file("/etc/passwd")], "entry \"/etc/passwd\" is absolute"),
        Bad("root as a file", [file("./.")], "entry \"./.\" is a file without a name"),
        Bad("absolute link", [link("a", "/etc")], "entry \"a\" links to \"/etc\", which leads out of the source"),
        Bad("link up", [link("a/b", "../../x")], "entry \"a/b\" links to \"../../x\", which leads out of the source"),
        Bad("link up behind a name", [link("a", "b/../..")], "entry \"a\" links to \"b/../..\", which leads out of the source"),
        Bad("below a link", [link("a", "b"), file("a/x")], "entry \"a/x\" lies below \"a\", which is no folder"),
        Bad("below a file", [file("a"), file("a/x")], "entry \"a/x\" lies below \"a\", which is no folder"),
        Bad("file twice", [file("a"), file("./a")], "entry \"./a\" is in the source twice"),
        Bad("file over folder", [file("a/b"), file("a")], "entry \"a\" is in the source twice"),
        Bad("link over file", [file("a"), link("a", "b")], "entry \"a\" is in the source twice"),
        Bad("device", [TarEntry(path: "null", kind: .characterDevice)], "entry \"null\" is a device, wanted files, folders and links"),
        Bad("pipe", [TarEntry(path: "p", kind: .fifo)], "entry \"p\" is a pipe, wanted files, folders and links"),
        Bad(
            "hard link to nothing", [TarEntry(path: "h", kind: .hardlink(target: "x"))],
            "entry \"h\" links to \"x\", which is no file before it"),
        Bad("nothing", [TarEntry(path: "./", kind: .directory)], "the source has no files"),
    ])
    func `what must not be in an image is refused by name`(bad: Bad) async throws {
        await #expect(throws: ComposerError(.sourceInvalid, bad.message)) { try await unpacked(tar(bad.entries)) }
    }

    @Test func `links inside, folders twice and hard links are fine`() async throws {
        let found = try await unpacked(
            tar([
                (TarEntry(path: "./", kind: .directory), ""), (TarEntry(path: "a/b", kind: .file), "x"),
                (TarEntry(path: "a", kind: .directory), ""), (TarEntry(path: "a/up", kind: .symlink(target: "../c")), ""),
                (TarEntry(path: "c", kind: .hardlink(target: "./a/b")), ""),
            ]))
        #expect(found == ["a": "/", "a/b": "x", "a/up": "→ ../c", "c": "x"])
    }

    @Test func `too many bytes and too many entries are too large, and hard links count`() async throws {
        let three = tar(files: [("a", "123"), ("b", "456"), ("c", "789")])
        await #expect(throws: ComposerError(.sourceTooLarge, "the source unpacks to more than 8 bytes")) {
            try await unpacked(three, limits: SourceLimits(bytes: 8))
        }
        await #expect(throws: ComposerError(.sourceTooLarge, "the source has more than 2 entries")) {
            try await unpacked(three, limits: SourceLimits(entries: 2))
        }
        let links = tar([(TarEntry(path: "a", kind: .file), "12345"), (TarEntry(path: "b", kind: .hardlink(target: "a")), "")])
        await #expect(throws: ComposerError.self) { try await unpacked(links, limits: SourceLimits(bytes: 9)) }
        let bomb = gzip(tar(files: [("zeros", String(repeating: "\0", count: 1_000_000))]))
        await #expect(throws: ComposerError.self) { try await unpacked(bomb, limits: SourceLimits(bytes: 100_000)) }
    }

    @Test func `a cut or broken archive fails`() async throws {
        let packed = gzip(tar(files: Self.files))
        for archive in [Array(packed.dropLast(5)), Array(tar(files: Self.files).prefix(1000)), Array(Self.zip.dropLast(3))] {
            await #expect(throws: (any Error).self) { try await unpacked(archive, by: 100) }
        }
    }
}
