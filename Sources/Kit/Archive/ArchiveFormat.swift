// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What a stream of bytes is, told from how it begins.
package enum ArchiveFormat: Equatable, Sendable {
    case gzip, zstd, zip, tar
    /// None of these: a file of its own.
    case plain

    /// How many bytes of the beginning are enough to tell.
    package static let prefixSize = 512

    /// The format of a stream with this beginning: its first `prefixSize` bytes, or all of a shorter one.
    package init(prefix: [UInt8]) {
        if prefix.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if prefix.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
            self = .zstd
        } else if prefix.starts(with: [0x50, 0x4b, 0x03, 0x04]) || prefix.starts(with: [0x50, 0x4b, 0x05, 0x06]) {
            self = .zip
        } else if TarHeader.isHeader(Array(prefix.prefix(TarField.blockSize))) {
            self = .tar
        } else {
            self = .plain
        }
    }
}
