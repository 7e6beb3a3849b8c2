// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One thing in a tar archive, without its content.
package struct TarEntry: Equatable, Sendable {
    /// What an entry is.
    package enum Kind: Equatable, Sendable {
        case file
        case directory
        case symlink(target: String)
        /// Another name for the entry of that path, earlier in the archive.
        case hardlink(target: String)
        case characterDevice, blockDevice, fifo
        /// A type that POSIX does not know, by its letter.
        case other(Character)
    }

    /// As written in the archive: neither cleaned nor trusted.
    package var path: String
    package var kind: Kind
    /// Bytes of content that follow; zero for what has none.
    package var size: UInt64
    /// Permission bits.
    package var mode: UInt32

    package init(path: String, kind: Kind, size: UInt64 = 0, mode: UInt32 = 0o644) {
        self.path = path
        self.kind = kind
        self.size = size
        self.mode = mode
    }
}

/// The places of a ustar header's fields in its 512 bytes.
enum TarField {
    static let name = 0..<100
    static let mode = 100..<108
    static let uid = 108..<116
    static let gid = 116..<124
    static let size = 124..<136
    static let mtime = 136..<148
    static let checksum = 148..<156
    static let type = 156
    static let linkName = 157..<257
    static let magic = 257..<263
    static let version = 263..<265
    static let deviceMajor = 329..<337
    static let deviceMinor = 337..<345
    static let prefix = 345..<500
    static let blockSize = 512

    /// The sum that a header's checksum field must have: all bytes, with the field itself as spaces.
    static func sum(of block: [UInt8]) -> Int {
        var sum = 0
        for (index, byte) in block.enumerated() {
            sum += Int(checksum.contains(index) ? UInt8(ascii: " ") : byte)
        }
        return sum
    }

    /// The same with bytes as signed numbers, as some old writers have it.
    static func signedSum(of block: [UInt8]) -> Int {
        var sum = 0
        for (index, byte) in block.enumerated() {
            sum += checksum.contains(index) ? 32 : Int(Int8(bitPattern: byte))
        }
        return sum
    }
}
