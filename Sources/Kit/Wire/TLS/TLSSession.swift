// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import CSsl
import Glibc

/// The encryption of one connection. OpenSSL reads and writes the socket itself, through a BIO that never raises SIGPIPE.
///
/// Belongs to the loop's thread, as all of a connection does.
final class TLSSession {
    private let handle: OpaquePointer
    private let counters: ServerCounters
    private var isBroken = false
    private(set) var isUp = false
    /// What OpenSSL has taken from the socket already and would give at once: epoll knows nothing of it.
    private(set) var hasMore = false
    /// Whether reading waits until the socket can be written.
    private(set) var wantsToWrite = false

    init?(_ context: TLSContext, descriptor: Int32, counters: ServerCounters) {
        guard let method = SocketBIO.method, let handle = SSL_new(context.context) else { return nil }
        guard let bio = BIO_new(method) else {
            SSL_free(handle)
            return nil
        }
        BIO_set_data(bio, UnsafeMutableRawPointer(bitPattern: Int(descriptor) + 1))
        BIO_set_init(bio, 1)
        SSL_set_bio(handle, bio, bio)
        SSL_set_accept_state(handle)
        self.handle = handle
        self.counters = counters
    }

    deinit {
        if !isUp { counters.handshakesFailed.count() }
        SSL_free(handle)
    }

    func receive(into buffer: UnsafeMutableBufferPointer<UInt8>) -> ByteChannel.Outcome {
        guard !isBroken, let start = buffer.baseAddress else { return .broken(EPROTO) }
        var filled = 0
        hasMore = false
        wantsToWrite = false
        while true {
            ERR_clear_error()
            let count = Int(SSL_read(handle, start + filled, Int32(clamping: buffer.count - filled)))
            if count > 0 {
                if !isUp { handshakeIsOver() }
                filled += count
                if SSL_has_pending(handle) == 0 { return .moved(filled) }
                // A record has at most 16 KiB; with less room the rest would only be cut.
                if buffer.count - filled < 16_384 {
                    hasMore = true
                    return .moved(filled)
                }
            } else {
                let outcome = failure(of: Int32(count))
                if !isUp, SSL_is_init_finished(handle) == 1 { handshakeIsOver() }
                return filled > 0 ? .moved(filled) : outcome
            }
        }
    }

    func send(_ bytes: UnsafeBufferPointer<UInt8>) -> ByteChannel.Outcome {
        guard !isBroken, let start = bytes.baseAddress else { return .broken(EPIPE) }
        var sent = 0
        while sent < bytes.count {
            ERR_clear_error()
            let count = Int(SSL_write(handle, start + sent, Int32(clamping: bytes.count - sent)))
            if count <= 0 {
                let outcome = failure(of: Int32(count))
                return sent > 0 ? .moved(sent) : outcome
            }
            sent += count
        }
        return .moved(sent)
    }

    private func handshakeIsOver() {
        isUp = true
        counters.handshakes.count()
        if SSL_session_reused(handle) == 1 { counters.handshakesResumed.count() }
    }

    private func failure(of result: Int32) -> ByteChannel.Outcome {
        let code = errno
        switch SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ: return .later
        case SSL_ERROR_WANT_WRITE:
            wantsToWrite = true
            return .later
        case SSL_ERROR_ZERO_RETURN: return .ended
        case SSL_ERROR_SYSCALL:
            isBroken = true
            return code == 0 ? .ended : .broken(code)
        default:
            isBroken = true
            return .broken(EPROTO)
        }
    }

    /// Says that nothing more will come, so that the other side can tell the end from a cut.
    func finish() {
        guard isUp, !isBroken else { return }
        ERR_clear_error()
        SSL_shutdown(handle)
    }
}

/// OpenSSL's way to a socket: `recv` and `send`, without SIGPIPE.
private enum SocketBIO {
    nonisolated(unsafe) static let method: OpaquePointer? = {
        // SAFETY: made once, and never changed.
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire") else { return nil }
        BIO_meth_set_read(method) { bio, buffer, count in
            let moved = recv(descriptor(of: bio), buffer, Int(count), 0)
            hydro_BIO_clear_retry_flags(bio)
            if moved < 0, errno == EAGAIN || errno == EINTR { hydro_BIO_set_retry_read(bio) }
            return Int32(moved)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            let moved = send(descriptor(of: bio), bytes, Int(count), Int32(MSG_NOSIGNAL))
            hydro_BIO_clear_retry_flags(bio)
            if moved < 0, errno == EAGAIN || errno == EINTR { hydro_BIO_set_retry_write(bio) }
            return Int32(moved)
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()

    private static func descriptor(of bio: OpaquePointer?) -> Int32 {
        BIO_get_data(bio).map { Int32(truncatingIfNeeded: Int(bitPattern: $0) - 1) } ?? -1
    }
}
