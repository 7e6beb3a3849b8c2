// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Bytes that can be read in any order.
package protocol RandomAccess: Sendable {
    /// How many bytes there are.
    var size: UInt64 { get }
    /// The bytes from `offset` on: `count` of them, or fewer at the end.
    func read(at offset: UInt64, count: Int) throws(ArchiveError) -> [UInt8]
}

extension RandomAccess {
    /// Exactly `count` bytes from `offset` on, or an error that names `what` they should have been.
    func read(at offset: UInt64, exactly count: Int, of what: String) throws(ArchiveError) -> [UInt8] {
        let bytes = try read(at: offset, count: count)
        guard bytes.count == count else {
            throw .truncated("\(what) wants \(count) bytes at \(offset), \(bytes.count) found")
        }
        return bytes
    }
}

/// Bytes in memory.
extension [UInt8]: RandomAccess {
    package var size: UInt64 { UInt64(count) }

    package func read(at offset: UInt64, count: Int) throws(ArchiveError) -> [UInt8] {
        offset < size ? Array(self[Int(offset)...].prefix(count)) : []
    }
}
