// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CZlib

/// A streaming decoder of deflate: bare, or in zlib's or gzip's wrapping.
package final class Inflater: ByteDecoder {
    /// What is around the deflated bytes.
    package enum Wrapping: Sendable {
        /// RFC 1952. Members may follow one another; zero bytes after the last are ignored, as `gzip` does.
        case gzip
        /// RFC 1950.
        case zlib
        /// RFC 1951 alone, as inside zip archives.
        case none
    }

    private enum Phase {
        /// Nothing of the stream, or of the next gzip member, has been seen.
        case start, inside, ended
    }

    // The stream has an address that zlib keeps, so it lives on the heap and never moves.
    private let stream: UnsafeMutablePointer<z_stream>
    private let wrapping: Wrapping
    private var phase = Phase.start
    private var members = 0
    private var input: [UInt8] = []
    private var position = 0
    private var outputIsPending = false

    package init(_ wrapping: Wrapping) {
        self.wrapping = wrapping
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let windowBits: Int32 =
            switch wrapping {
            case .gzip: 31
            case .zlib: 15
            case .none: -15
            }
        let result = czlib_inflate_init(stream, windowBits)
        precondition(result == Z_OK, "no memory to inflate with")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    package func feed(_ chunk: [UInt8]) {
        precondition(position == input.count, "fed before the last piece was used up")
        input = chunk
        position = 0
    }

    package func next() throws(ArchiveError) -> [UInt8]? {
        while position < input.count || outputIsPending {
            if phase != .inside, try !open() { continue }
            let piece = try step()
            if !piece.isEmpty { return piece }
        }
        return nil
    }

    package func finish() throws(ArchiveError) {
        let isWhole = wrapping == .gzip ? phase == .start && members > 0 : phase == .ended
        guard isWhole else { throw .truncated("\(name) stream ends after \(stream.pointee.total_in) bytes") }
    }

    /// Enters a stream or gzip member where one begins; otherwise steps over what may lie there.
    private func open() throws(ArchiveError) -> Bool {
        if phase == .ended {
            throw .corrupt("\(input.count - position) bytes after the end of the \(name) stream")
        }
        if members > 0 {
            if input[position] == 0 {
                position += 1
                return false
            }
            inflateReset(stream)
        }
        phase = .inside
        return true
    }

    private func step() throws(ArchiveError) -> [UInt8] {
        var result = Z_OK
        let piece = [UInt8](unsafeUninitializedCapacity: decodedPieceSize) { buffer, count in
            input.withUnsafeBufferPointer { source in
                // zlib's own declaration lacks `const`; it never writes to its input.
                stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress.map { $0 + position })
                stream.pointee.avail_in = UInt32(source.count - position)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(buffer.count)
                result = inflate(stream, Z_NO_FLUSH)
                position = source.count - Int(stream.pointee.avail_in)
                count = buffer.count - Int(stream.pointee.avail_out)
            }
        }
        outputIsPending = stream.pointee.avail_out == 0
        switch result {
        case Z_OK, Z_BUF_ERROR:
            return piece
        case Z_STREAM_END:
            outputIsPending = false
            members += 1
            phase = wrapping == .gzip ? .start : .ended
            return piece
        case Z_MEM_ERROR:
            preconditionFailure("no memory to inflate with")
        default:
            let why = stream.pointee.msg.map { String(cString: $0) } ?? "code \(result)"
            throw .corrupt("\(name) stream: \(why) after \(stream.pointee.total_in) bytes")
        }
    }

    private var name: String {
        switch wrapping {
        case .gzip: "gzip"
        case .zlib: "zlib"
        case .none: "deflate"
        }
    }
}
