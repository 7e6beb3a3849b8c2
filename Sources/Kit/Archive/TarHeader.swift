// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A tar header block, read: ustar, GNU's or the old Unix kind.
struct TarHeader {
    var name: String
    var linkName: String
    var size: UInt64
    var mode: UInt32
    var type: UInt8

    /// Reads one block of 512 bytes that is not all zero.
    init(_ block: [UInt8]) throws(ArchiveError) {
        try TarHeader.check(block)
        type = block[TarField.type]
        size = try TarHeader.number(block[TarField.size], of: "size")
        let mode = try TarHeader.number(block[TarField.mode], of: "mode")
        self.mode = UInt32(truncatingIfNeeded: mode) & 0o7777
        name = try TarHeader.text(block[TarField.name], of: "name")
        linkName = try TarHeader.text(block[TarField.linkName], of: "link name")
        // Only POSIX's magic has a prefix there; GNU's ("ustar  ") keeps times in the same place.
        if Array(block[TarField.magic]) == Array("ustar\0".utf8) {
            let prefix = try TarHeader.text(block[TarField.prefix], of: "prefix")
            if !prefix.isEmpty { name = prefix + "/" + name }
        }
    }

    /// Whether a block could be a tar header: its checksum is right.
    static func isHeader(_ block: [UInt8]) -> Bool {
        guard block.count == TarField.blockSize else { return false }
        do {
            try check(block)
            return true
        } catch {
            return false
        }
    }

    private static func check(_ block: [UInt8]) throws(ArchiveError) {
        let stored = try number(block[TarField.checksum], of: "checksum")
        let sum = TarField.sum(of: block)
        guard stored == sum || Int64(bitPattern: stored) == Int64(TarField.signedSum(of: block)) else {
            throw .corrupt("tar header: checksum \(stored) wanted, \(sum) found")
        }
    }

    /// A number in octal digits, or in GNU's binary form where the first bit is set.
    private static func number(_ field: ArraySlice<UInt8>, of what: String) throws(ArchiveError) -> UInt64 {
        if let first = field.first, first & 0x80 != 0 {
            return try binary(field, of: what)
        }
        var value: UInt64 = 0
        var sawDigit = false
        for byte in field {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                sawDigit = true
                value = value << 3 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: " ") where !sawDigit: continue
            case UInt8(ascii: " "), 0: return value
            default: throw .corrupt("tar header: \(what) is not an octal number")
            }
        }
        return value
    }

    private static func binary(_ field: ArraySlice<UInt8>, of what: String) throws(ArchiveError) -> UInt64 {
        guard let first = field.first, first & 0x40 == 0 else { throw .corrupt("tar header: \(what) is negative") }
        var value = UInt64(first & 0x3f)
        for byte in field.dropFirst() {
            guard value >> 55 == 0 else { throw .corrupt("tar header: \(what) does not fit in 63 bits") }
            value = value << 8 | UInt64(byte)
        }
        return value
    }

    /// Text up to the first zero byte.
    static func text(_ field: ArraySlice<UInt8>, of what: String) throws(ArchiveError) -> String {
        let bytes = field.prefix { $0 != 0 }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .unsupported("tar \(what) that is not UTF-8")
        }
        return text
    }
}
