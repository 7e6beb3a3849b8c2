// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Little-endian numbers of one width, to and from numbers of varying length.
enum Varints {
    /// The numbers as varints, negative ones with their sign in all 64 bits. A rest that fills no number is left out.
    static func packed<Number: FixedWidthInteger & BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, of _: Number.Type) -> [UInt8] {
        let width = MemoryLayout<Number>.size
        let count = bytes.count / width
        var size = 0
        for place in 0..<count {
            size += ProtoWriter.size(UInt64(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: place * width, as: Number.self)))
        }
        return Array(unsafeUninitializedCapacity: size) { out, filled in
            var at = 0
            for place in 0..<count {
                var rest = UInt64(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: place * width, as: Number.self))
                while rest >= 0x80 {
                    out[at] = UInt8(truncatingIfNeeded: rest) | 0x80
                    rest >>= 7
                    at += 1
                }
                out[at] = UInt8(truncatingIfNeeded: rest)
                at += 1
            }
            filled = at
        }
    }

    /// Appends the varints as plain numbers.
    ///
    /// As protocol buffers have it, a field of 32 bits takes the low ones; what is then beyond `Number` is an error.
    static func unpack<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, as _: Number.Type, into out: inout [UInt8]
    ) throws(ProtoError) {
        let width = MemoryLayout<Number>.size
        let start = out.count
        out.append(contentsOf: repeatElement(0, count: ProtoScan.varints(in: bytes) * width))
        try out.withUnsafeMutableBytes { out in
            Result { () throws(ProtoError) in
                var scan = ProtoScan(bytes)
                var at = start
                while scan.offset < bytes.count {
                    out.storeBytes(of: try number(try scan.varint()), toByteOffset: at, as: Number.self)
                    at += width
                }
            }
        }.get()
    }

    @inline(__always)
    private static func number<Number: FixedWidthInteger>(_ bits: UInt64) throws(ProtoError) -> Number {
        guard Number.bitWidth < 32 else { return Number(truncatingIfNeeded: bits) }
        let value = Int32(truncatingIfNeeded: bits)
        guard let narrow = Number(exactly: value) else {
            throw ProtoError("wanted a number from \(Number.min) to \(Number.max), found \(value)")
        }
        return narrow
    }
}

/// Strings one after another, each behind its length in 4 bytes, as raw tensors have them.
enum RawStrings {
    static func append(_ text: some Collection<UInt8>, to out: inout [UInt8]) throws(ProtoError) {
        guard let length = UInt32(exactly: text.count) else { throw ProtoError("wanted strings of less than 4 GiB, found a longer one") }
        withUnsafeBytes(of: length.littleEndian) { out.append(contentsOf: $0) }
        out.append(contentsOf: text)
    }

    /// How many strings the bytes are.
    static func count(in bytes: UnsafeRawBufferPointer) throws(ProtoError) -> Int {
        var (count, at) = (0, 0)
        while at < bytes.count {
            at = try end(of: at, in: bytes)
            count += 1
        }
        return count
    }

    /// The strings as chunks of one field.
    static func tagged(_ values: ArraySlice<UInt8>, field: Int) throws(ProtoError) -> [UInt8] {
        try values.scanning { (bytes) throws(ProtoError) in
            var writer = ProtoWriter()
            writer.bytes.reserveCapacity(bytes.count)
            var at = 0
            while at < bytes.count {
                let end = try end(of: at, in: bytes)
                writer.chunk(bytes[at + 4..<end], field: field)
                at = end
            }
            return writer.bytes
        }
    }

    private static func end(of start: Int, in bytes: UnsafeRawBufferPointer) throws(ProtoError) -> Int {
        guard bytes.count - start >= 4 else {
            throw ProtoError("wanted a length of 4 bytes before each string, found \(bytes.count - start)")
        }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
        guard length <= bytes.count - start - 4 else {
            throw ProtoError("wanted a string of \(length) bytes, found \(bytes.count - start - 4) bytes")
        }
        return start + 4 + length
    }
}
