// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CZstd

/// A streaming decoder of zstd frames, one after another.
package final class ZstdDecoder: ByteDecoder {
    private let stream: OpaquePointer
    private var input: [UInt8] = []
    private var position = 0
    private var consumed = 0
    private var outputIsPending = false
    private var isBetweenFrames = false

    /// - Parameter windowLog: the largest window a frame may ask for, as a power of two; 26 is 64 MiB of memory.
    package init(windowLog: Int = 26) {
        guard let stream = ZSTD_createDStream() else { preconditionFailure("no memory to decode zstd with") }
        self.stream = stream
        let result = ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Int32(windowLog))
        precondition(ZSTD_isError(result) == 0, "window of 2^\(windowLog) is not possible")
    }

    deinit {
        ZSTD_freeDStream(stream)
    }

    package func feed(_ chunk: [UInt8]) {
        precondition(position == input.count, "fed before the last piece was used up")
        input = chunk
        position = 0
    }

    package func next() throws(ArchiveError) -> [UInt8]? {
        while position < input.count || outputIsPending {
            let piece = try step()
            if !piece.isEmpty { return piece }
        }
        return nil
    }

    package func finish() throws(ArchiveError) {
        guard isBetweenFrames else { throw .truncated("zstd stream ends after \(consumed) bytes") }
    }

    private func step() throws(ArchiveError) -> [UInt8] {
        var result = 0
        let piece = [UInt8](unsafeUninitializedCapacity: decodedPieceSize) { buffer, count in
            input.withUnsafeBytes { source in
                var from = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: position)
                var into = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
                result = ZSTD_decompressStream(stream, &into, &from)
                consumed += from.pos - position
                position = from.pos
                count = into.pos
            }
        }
        guard ZSTD_isError(result) == 0 else {
            let why = String(cString: ZSTD_getErrorName(result))
            if ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge {
                throw .tooLarge("zstd frame: \(why)")
            }
            throw .corrupt("zstd stream: \(why) after \(consumed) bytes")
        }
        isBetweenFrames = result == 0
        outputIsPending = piece.count == decodedPieceSize && result != 0
        return piece
    }
}
