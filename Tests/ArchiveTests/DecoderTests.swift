// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
import Testing

@testable import Archive

struct DecoderTests {
    static let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: ($0 * $0) >> 7) }

    private func deflate(_ bytes: [UInt8], _ wrapping: Deflater.Wrapping = .gzip, by size: Int = 10_000) -> [UInt8] {
        let deflater = Deflater(wrapping)
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            deflater.deflate(Array(bytes[start..<min(start + size, bytes.count)]), into: &output)
        }
        deflater.finish(into: &output)
        return output
    }

    @Test(arguments: [1, 7, 4096, 1 << 20])
    func `what is deflated inflates to the same, at any chunking`(size: Int) throws {
        #expect(try drive(Inflater(.gzip), deflate(Self.bytes), by: size) == Self.bytes)
        #expect(try drive(Inflater(.zlib), deflate(Self.bytes, .zlib), by: size) == Self.bytes)
    }

    @Test func `deflating gives the same bytes however the input is cut`() {
        #expect(deflate(Self.bytes, by: 999) == deflate(Self.bytes, by: 65_536))
        #expect(Array(deflate([])[4..<8]) == [0, 0, 0, 0])
    }

    @Test(arguments: [1, 1000]) func `gzip members follow one another, and zeros after the last are padding`(size: Int) throws {
        let two = deflate([1, 2, 3]) + deflate([]) + deflate([4]) + [0, 0, 0, 0, 0]
        #expect(try drive(Inflater(.gzip), two, by: size) == [1, 2, 3, 4])
    }

    @Test func `every cut of a gzip stream is truncated`() {
        let whole = deflate(Array("some text, some text".utf8))
        for end in 0..<whole.count {
            #expect(throws: ArchiveError.self, "cut at \(end)") { try drive(Inflater(.gzip), Array(whole[..<end]), by: 5) }
        }
    }

    @Test func `a flipped bit fails the checksum`() {
        var bytes = deflate(Array("some text, some text".utf8))
        bytes[bytes.count - 6] ^= 1
        #expect { try drive(Inflater(.gzip), bytes, by: 64) } throws: { error in
            if case ArchiveError.corrupt = error { true } else { false }
        }
    }

    @Test func `rubbish after a zlib stream is refused`() {
        #expect(throws: ArchiveError.corrupt("2 bytes after the end of the zlib stream")) {
            try drive(Inflater(.zlib), deflate([1], .zlib) + [9, 9], by: 100)
        }
    }

    @Test func `a bomb comes out in small pieces`() throws {
        let inflater = Inflater(.gzip)
        inflater.feed(deflate([UInt8](repeating: 0, count: 10_000_000)))
        let first = try #require(try inflater.next())
        #expect(first.count == decodedPieceSize)
    }

    // Written by zstd 1.5.
    private static let zstdOfX = [UInt8](Data(base64Encoded: "KLUv/QBYVAAAEHh4AQD7/znAAgNqCHg=") ?? Data())
    private static let zstdOfZeros = [UInt8](Data(base64Encoded: "KLUv/QRoRQAACAABALTzgRC928tP") ?? Data())

    @Test(arguments: [1, 5, 100])
    func `zstd frames decode at any chunking, one after another`(size: Int) throws {
        let both = try drive(ZstdDecoder(), Self.zstdOfX + Self.zstdOfZeros, by: size)
        #expect(both == [UInt8](repeating: UInt8(ascii: "x"), count: 200_000) + [UInt8](repeating: 0, count: 3000))
    }

    @Test func `every cut of a zstd stream is truncated`() {
        for end in 0..<Self.zstdOfZeros.count {
            #expect(throws: ArchiveError.truncated("zstd stream ends after \(end) bytes")) {
                try drive(ZstdDecoder(), Array(Self.zstdOfZeros[..<end]), by: 4)
            }
        }
    }

    @Test func `a zstd window over the limit is too large`() {
        // The frame of 200,000 bytes asks for a window of 2^21.
        #expect { try drive(ZstdDecoder(windowLog: 15), Self.zstdOfX, by: 100) } throws: { error in
            if case ArchiveError.tooLarge = error { true } else { false }
        }
    }

    @Test func `formats are told by their beginnings`() {
        #expect(ArchiveFormat(prefix: deflate([1])) == .gzip)
        #expect(ArchiveFormat(prefix: Self.zstdOfX) == .zstd)
        #expect(ArchiveFormat(prefix: Fixture.zip) == .zip)
        #expect(ArchiveFormat(prefix: Fixture.gnuTar) == .tar)
        #expect(ArchiveFormat(prefix: Fixture.paxTar) == .tar)
        #expect(ArchiveFormat(prefix: []) == .plain)
        #expect(ArchiveFormat(prefix: [UInt8](repeating: 0, count: 512)) == .plain)
        #expect(ArchiveFormat(prefix: Array("def predict(x): …".utf8)) == .plain)
    }
}
