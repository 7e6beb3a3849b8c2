// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A decoder of one byte stream into another, driven by its caller.
///
/// 1. `feed` a piece of input.
/// 2. Take `next` until it is nil: the piece is used up.
/// 3. After the last piece, `finish` says whether the stream was whole.
///
/// *Guarantees*: a piece of output is at most `decodedPieceSize` bytes, however small the input was,
/// so a caller can stop a bomb before it is unpacked.
package protocol ByteDecoder: AnyObject {
    /// Hands over the next bytes of input. The last piece must be used up.
    func feed(_ chunk: [UInt8])
    /// The next bytes of output, or nil when more input is needed.
    func next() throws(ArchiveError) -> [UInt8]?
    /// Checks that the stream ended where it may.
    func finish() throws(ArchiveError)
}

/// The most bytes that a decoder hands out at once.
package let decodedPieceSize = 65_536

/// The decoder of what is not encoded.
package final class PlainDecoder: ByteDecoder {
    private var chunk: [UInt8]?

    package init() {}

    package func feed(_ chunk: [UInt8]) {
        precondition(self.chunk == nil, "fed before the last piece was used up")
        self.chunk = chunk.isEmpty ? nil : chunk
    }

    package func next() throws(ArchiveError) -> [UInt8]? {
        defer { chunk = nil }
        return chunk
    }

    package func finish() throws(ArchiveError) {}
}
