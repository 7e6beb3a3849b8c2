// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CSsl
import Glibc
import Logging
import Synchronization

/// Where a server finds who it is: PEM files of a certificate chain and its private key. They may be replaced while it runs.
package struct TLSFiles: Sendable, Equatable {
    package var certificate: String
    package var key: String
    /// How often they are looked at, at most: when somebody connects.
    package var lookEvery: Duration = .seconds(2)

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// The server's certificate as of now, for all loops. A new pair of files is taken for new connections once both agree.
final class TLSIdentity: Sendable {
    private struct State {
        var context: TLSContext
        var stamps: [FileStamp]
    }

    let files: TLSFiles
    private let logger: Logger
    private let state: Mutex<State>
    private let taken = Atomic<Int>(1)
    private let refused = Atomic<Int>(0)

    init(_ files: TLSFiles, logger: Logger) throws(WireError) {
        self.files = files
        self.logger = logger
        let stamps = Self.stamps(of: files)
        state = Mutex(State(context: try TLSContext(files), stamps: stamps))
    }

    /// Looks at the files again. Costs two `stat`, and some milliseconds when they have changed.
    func current() -> TLSContext {
        state.withLock { state in
            let stamps = Self.stamps(of: files)
            guard stamps != state.stamps else { return state.context }
            // Remembered even when the pair is bad: it is tried again when it changes again, not all the time.
            state.stamps = stamps
            do throws(WireError) {
                let fresh = try TLSContext(files)
                fresh.keepTickets(of: state.context)
                state.context = fresh
                taken.add(1, ordering: .relaxed)
                logger.debug("certificate replaced", metadata: ["file": "\(files.certificate)"])
            } catch {
                refused.add(1, ordering: .relaxed)
                logger.warning("certificate not replaced, the old one stays", metadata: ["error": "\(error)"])
            }
            return state.context
        }
    }

    func add(to sum: inout WireStatistics) {
        sum.certificatesTaken += taken.load(ordering: .relaxed)
        sum.certificatesRefused += refused.load(ordering: .relaxed)
    }

    private static func stamps(of files: TLSFiles) -> [FileStamp] { [FileStamp(files.certificate), FileStamp(files.key)] }
}

/// What shows that a file is another one, or has been written to.
private struct FileStamp: Equatable {
    private var device: UInt64 = 0
    private var inode: UInt64 = 0
    private var size = 0
    private var seconds = 0
    private var nanoseconds = 0

    /// A file that is not there is all zeros.
    init(_ path: String) {
        var found = stat()
        guard stat(path, &found) == 0 else { return }
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
        size = Int(found.st_size)
        seconds = found.st_mtim.tv_sec
        nanoseconds = found.st_mtim.tv_nsec
    }
}

/// An OpenSSL context with one certificate: TLS 1.2 or later, forward secrecy, HTTP/2 or HTTP/1.1.
final class TLSContext: @unchecked Sendable {
    // SAFETY: not changed after `init` and `keepTickets`, which run before anyone else has it; OpenSSL's counts of references
    // are atomic, and it locks what its connections share.
    let context: OpaquePointer

    init(_ files: TLSFiles) throws(WireError) {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .system("TLS context", ENOMEM) }
        self.context = context
        hydro_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        SSL_CTX_set_options(
            context,
            HYDRO_SSL_OP_NO_RENEGOTIATION | HYDRO_SSL_OP_NO_COMPRESSION | HYDRO_SSL_OP_IGNORE_UNEXPECTED_EOF
                | HYDRO_SSL_OP_CIPHER_SERVER_PREFERENCE)
        // An idle connection gives its buffers back: 34 KiB each.
        hydro_SSL_CTX_set_mode(
            context, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) | Int(SSL_MODE_RELEASE_BUFFERS))
        hydro_SSL_CTX_set_read_ahead(context, 1)
        // Who comes back has a ticket; nothing is remembered here.
        hydro_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        SSL_CTX_set_num_tickets(context, 1)
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")
        SSL_CTX_set_alpn_select_cb(context, { _, chosen, length, offer, size, _ in chooseProtocol(chosen, length, offer, size) }, nil)
        // An encrypted key is an error, not a question on the terminal.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        try load(files)
    }

    deinit { SSL_CTX_free(context) }

    private func load(_ files: TLSFiles) throws(WireError) {
        for file in [files.certificate, files.key] where access(file, R_OK) != 0 {
            throw .badCertificate(file, reason(of: errno))
        }
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(context, files.certificate) == 1 else {
            throw .badCertificate(files.certificate, "no certificate in PEM: \(Self.complaint)")
        }
        guard SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM) == 1 else {
            throw .badCertificate(files.key, "no private key in PEM for this certificate: \(Self.complaint)")
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            throw .badCertificate(files.key, "not the key of \"\(files.certificate)\"")
        }
    }

    private static var complaint: String {
        let code = ERR_get_error()
        ERR_clear_error()
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// Callers who have a ticket may use it still.
    func keepTickets(of old: TLSContext) {
        var keys = [UInt8](repeating: 0, count: 80)
        guard hydro_SSL_CTX_get_tlsext_ticket_keys(old.context, &keys, keys.count) == 1 else { return }
        _ = hydro_SSL_CTX_set_tlsext_ticket_keys(context, &keys, keys.count)
        for i in keys.indices { keys[i] = 0 }
    }
}

/// ALPN (RFC 7301): HTTP/2 where the caller offers it, else HTTP/1.1, else an alert.
private func chooseProtocol(
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?, _ offer: UnsafePointer<UInt8>?,
    _ size: UInt32
) -> Int32 {
    let offered = UnsafeBufferPointer(start: offer, count: Int(size))
    for wanted in ["h2", "http/1.1"] as [StaticString] {
        var i = 0
        while i < offered.count {
            let count = Int(offered[i])
            guard i + 1 + count <= offered.count else { break }
            let name = UnsafeBufferPointer(rebasing: offered[(i + 1)..<(i + 1 + count)])
            if name.elementsEqual(UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount)) {
                chosen?.pointee = name.baseAddress
                length?.pointee = UInt8(count)
                return SSL_TLSEXT_ERR_OK
            }
            i += 1 + count
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
