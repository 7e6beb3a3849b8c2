// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc

/// Output that waits for the kernel: bytes of its own, and between them pieces of bodies that stay where they are.
///
/// A large body is never copied on its way out: its array is held here until the kernel has taken it.
struct Outbox {
    /// Below this a piece is copied: that costs less than to gather one more.
    static let smallestLoan = 4096

    private struct Loan {
        /// How many own bytes have gone before it, since the beginning.
        var place: Int
        var bytes: ArraySlice<UInt8>
    }

    private var own = ByteQueue()
    /// Own bytes that have been dropped since the beginning.
    private var passed = 0
    private var loans: [Loan] = []
    private var firstLoan = 0
    private var lent = 0

    var count: Int { own.count + lent }
    var isEmpty: Bool { own.isEmpty && lent == 0 }
    /// Whether enough is gathered for one write.
    var isFull: Bool { own.count >= Link.gulp || count >= 4 * Link.gulp }

    mutating func append(_ more: UnsafeBufferPointer<UInt8>) { own.append(more) }
    mutating func append(_ more: [UInt8]) { own.append(more) }
    mutating func append(_ byte: UInt8) { own.append(byte) }
    mutating func append(_ text: StaticString) { own.append(text) }
    mutating func append(decimal number: Int) { own.append(decimal: number) }

    /// Adds a piece without copying it, if it is worth that.
    mutating func lend(_ piece: ArraySlice<UInt8>) {
        guard piece.count >= Self.smallestLoan else { return piece.withUnsafeBufferPointer { own.append($0) } }
        loans.append(Loan(place: passed + own.count, bytes: piece))
        lent += piece.count
    }

    /// Names the first pieces in order, as many as there is room for: how many, and how many bytes they have.
    ///
    /// The pointers are good until the outbox changes: an array's bytes lie still while something holds it.
    func gather(into vectors: UnsafeMutableBufferPointer<iovec>) -> (count: Int, bytes: Int) {
        var used = 0
        var total = 0
        func add(_ bytes: UnsafeBufferPointer<UInt8>) {
            guard bytes.count > 0 else { return }
            vectors[used] = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
            used += 1
            total += bytes.count
        }
        own.withBytes { all in
            var position = 0
            var i = firstLoan
            while i < loans.count, used + 2 <= vectors.count {
                let place = loans[i].place - passed
                add(UnsafeBufferPointer(rebasing: all[position..<place]))
                position = place
                loans[i].bytes.withUnsafeBufferPointer { add($0) }
                i += 1
            }
            if used < vectors.count {
                let end = i < loans.count ? loans[i].place - passed : all.count
                add(UnsafeBufferPointer(rebasing: all[position..<end]))
            }
        }
        return (used, total)
    }

    /// Lends the bytes, where no piece is lent.
    func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R { own.withBytes(body) }

    /// Forgets the first bytes.
    mutating func drop(_ count: Int) {
        var left = count
        while firstLoan < loans.count, left > 0 {
            let before = loans[firstLoan].place - passed
            if left < before { break }
            own.drop(before)
            passed += before
            left -= before
            let taken = min(left, loans[firstLoan].bytes.count)
            loans[firstLoan].bytes.removeFirst(taken)
            lent -= taken
            left -= taken
            if !loans[firstLoan].bytes.isEmpty { return }
            // Let go of at once: it may be the last to hold a large body.
            loans[firstLoan].bytes = []
            firstLoan += 1
        }
        own.drop(left)
        passed += left
        if firstLoan == loans.count {
            loans.removeAll(keepingCapacity: true)
            firstLoan = 0
        } else if firstLoan > 64, firstLoan > loans.count / 2 {
            loans.removeSubrange(..<firstLoan)
            firstLoan = 0
        }
    }

    mutating func removeAll(keepingCapacity: Bool = false) {
        own.removeAll(keepingCapacity: keepingCapacity)
        loans.removeAll(keepingCapacity: keepingCapacity)
        passed = 0
        firstLoan = 0
        lent = 0
    }

    /// Whether it has memory for so many bytes of its own at least.
    func hasRoom(for count: Int) -> Bool { own.hasRoom(for: count) }
}

/// A body as it is sent: bytes, behind gRPC's prefix where they are a message.
struct Payload {
    private let prefix: GRPCFraming.Prefix?
    private let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        prefix = nil
    }

    init(message: ArraySlice<UInt8>) {
        bytes = message
        prefix = GRPCFraming.Prefix(message.count)
    }

    var count: Int { prefixCount + bytes.count }
    private var prefixCount: Int { prefix == nil ? 0 : GRPCFraming.prefix }

    /// Copies a part.
    func copy(from start: Int, _ count: Int, into buffer: UnsafeMutablePointer<UInt8>) {
        var offset = start
        var target = buffer
        while let prefix, offset < GRPCFraming.prefix, offset < start + count {
            target.pointee = prefix[offset]
            target += 1
            offset += 1
        }
        bytes.withUnsafeBufferPointer { all in
            if let base = all.baseAddress, offset < start + count { memcpy(target, base + offset - prefixCount, start + count - offset) }
        }
    }

    /// Adds a part to the output, its bytes uncopied.
    func lend(from start: Int, _ count: Int, to outbox: inout Outbox) {
        var offset = start
        while let prefix, offset < GRPCFraming.prefix, offset < start + count {
            outbox.append(prefix[offset])
            offset += 1
        }
        guard offset < start + count else { return }
        let first = bytes.startIndex + offset - prefixCount
        outbox.lend(bytes[first..<(first + start + count - offset)])
    }

    /// Adds a copy of all to the output.
    func copy(to outbox: inout Outbox) {
        if let prefix { for i in 0..<GRPCFraming.prefix { outbox.append(prefix[i]) } }
        bytes.withUnsafeBufferPointer { outbox.append($0) }
    }
}
