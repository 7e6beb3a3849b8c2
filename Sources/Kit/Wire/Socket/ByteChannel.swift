// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc

/// The seam between a socket and the protocol above it: bytes in, bytes out, never waiting.
///
/// Encryption, when it comes, lives inside: the protocols see only these outcomes.
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

    func receive(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Outcome {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        if count > 0 { return .moved(count) }
        if count == 0 { return .ended }
        return errno == EAGAIN || errno == EINTR ? .later : .broken(errno)
    }

    func send(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return .moved(count) }
        return errno == EAGAIN || errno == EINTR ? .later : .broken(errno)
    }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() { Glibc.close(descriptor) }

    /// Answers leave at once: what is written has been gathered already.
    func sendWithoutDelay() {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
}
