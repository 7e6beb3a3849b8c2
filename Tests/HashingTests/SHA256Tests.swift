// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Hashing

struct SHA256Tests {
    struct Known: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var hex: String
    }

    // FIPS 180-4 examples, and the padding's edges around one block.
    @Test(arguments: [
        Known(testDescription: "nothing", bytes: [], hex: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Known(testDescription: "abc", bytes: Array("abc".utf8), hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        Known(
            testDescription: "two blocks", bytes: Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            hex: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        Known(
            testDescription: "a million a", bytes: Array(repeating: UInt8(ascii: "a"), count: 1_000_000),
            hex: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `the known digests come out`(known: Known) {
        #expect(SHA256.hex(of: known.bytes) == known.hex)
        #expect(SHA256.digest(of: known.bytes).count == SHA256.byteCount)
    }

    @Test(arguments: [1, 3, 55, 56, 63, 64, 65, 1000])
    func `pieces of any size give the same digest`(size: Int) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var hash = SHA256()
        for start in stride(from: 0, to: bytes.count, by: size) {
            hash.update(bytes[start..<min(start + size, bytes.count)])
        }
        #expect(hash.finishHex() == SHA256.hex(of: bytes))
    }

    @Test func `a copy goes its own way`() {
        var first = SHA256()
        first.update(Array("ab".utf8))
        var second = first
        second.update(Array("x".utf8))
        first.update(Array("c".utf8))
        #expect(first.finishHex() == SHA256.hex(of: Array("abc".utf8)))
        #expect(second.finishHex() == SHA256.hex(of: Array("abx".utf8)))
    }

    @Test func `a digest of a prefix leaves the hash as it was`() {
        var hash = SHA256()
        hash.update(Array("ab".utf8))
        #expect(hash.finishHex() == SHA256.hex(of: Array("ab".utf8)))
        hash.update(Array("c".utf8))
        #expect(hash.finishHex() == SHA256.hex(of: Array("abc".utf8)))
    }
}
