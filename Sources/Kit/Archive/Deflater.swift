// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CZlib

/// A streaming encoder to deflate in gzip's or zlib's wrapping.
///
/// *Guarantees*: the same bytes at the same level give the same output, however they were cut:
/// the gzip header has no name and no time.
package final class Deflater {
    /// What goes around the deflated bytes.
    package enum Wrapping: Sendable { case gzip, zlib }

    private let stream: UnsafeMutablePointer<z_stream>
    private var isFinished = false

    /// - Parameter level: 1 (fast) to 9 (small).
    package init(_ wrapping: Wrapping = .gzip, level: Int = 6) {
        precondition((1...9).contains(level), "level \(level) is not in 1...9")
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = czlib_deflate_init(stream, Int32(level), wrapping == .gzip ? 31 : 15)
        precondition(result == Z_OK, "no memory to deflate with")
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Takes in `bytes` and appends what is ready to `output`.
    package func deflate(_ bytes: [UInt8], into output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        run(bytes, flush: Z_NO_FLUSH, into: &output)
    }

    /// Ends the stream and appends its last bytes to `output`.
    package func finish(into output: inout [UInt8]) {
        run([], flush: Z_FINISH, into: &output)
        isFinished = true
    }

    private func run(_ bytes: [UInt8], flush: Int32, into output: inout [UInt8]) {
        precondition(!isFinished, "deflated after the end")
        bytes.withUnsafeBufferPointer { source in
            // zlib's own declaration lacks `const`; it never writes to its input.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
            stream.pointee.avail_in = UInt32(source.count)
            repeat {
                let piece = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    let result = CZlib.deflate(stream, flush)
                    precondition(result != Z_STREAM_ERROR, "the deflate stream was overwritten")
                    count = buffer.count - Int(stream.pointee.avail_out)
                }
                output += piece
            } while stream.pointee.avail_out == 0
        }
    }
}
