// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc

/// The seam between a socket and the protocol above it: bytes in, bytes out, never waiting.
///
/// Encryption lives inside: the protocols see only these outcomes.
struct ByteChannel {
    enum Outcome: Equatable {
        /// So many bytes went through.
        case moved(Int)
        /// Nothing can move now; epoll will tell.
        case later
        /// The other side has finished sending.
        case ended
        /// The connection is broken; the error number says how.
        case broken(Int32)
    }

    let descriptor: Int32
    private var tls: TLSSession?

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// From now on all bytes go through the session.
    mutating func encrypt(_ session: TLSSession) { tls = session }

    /// Whether more can be received at once although epoll does not say so.
    var hasMore: Bool { tls?.hasMore ?? false }
    /// Whether receiving waits until the socket can be written, as encryption may make it.
    var wantsToWrite: Bool { tls?.wantsToWrite ?? false }

    /// The first byte that waits to be received, which stays where it is.
    func peek(_ byte: inout UInt8) -> Outcome { outcome(of: recv(descriptor, &byte, 1, Int32(MSG_PEEK))) }

    func receive(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Outcome {
        if let tls { return tls.receive(into: buffer) }
        return outcome(of: recv(descriptor, buffer.baseAddress, buffer.count, 0))
    }

    private func outcome(of count: Int) -> Outcome {
        if count > 0 { return .moved(count) }
        if count == 0 { return .ended }
        return errno == EAGAIN || errno == EINTR ? .later : .broken(errno)
    }

    var isEncrypted: Bool { tls != nil }

    /// Sends several pieces at once, without encryption.
    func send(_ pieces: UnsafeMutableBufferPointer<iovec>, _ count: Int) -> Outcome {
        var message = msghdr()
        message.msg_iov = pieces.baseAddress
        message.msg_iovlen = count
        let sent = sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
        if sent >= 0 { return .moved(sent) }
        return errno == EAGAIN || errno == EINTR ? .later : .broken(errno)
    }

    func send(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        if let tls { return tls.send(bytes) }
        let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return .moved(count) }
        return errno == EAGAIN || errno == EINTR ? .later : .broken(errno)
    }

    /// Says that nothing more will be sent.
    func finishSending() {
        tls?.finish()
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func close() {
        tls?.finish()
        Glibc.close(descriptor)
    }

    /// Answers leave at once: what is written has been gathered already.
    func sendWithoutDelay() {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
}
