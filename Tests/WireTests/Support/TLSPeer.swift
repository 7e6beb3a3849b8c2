// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import CSsl
import Foundation
import Glibc
import LoopbackTesting

@testable import Wire

/// A certificate for itself and its key, in files.
struct Certificate {
    static func write(named name: String, into files: TLSFiles) throws {
        guard let maker = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil), let certificate = X509_new() else { throw LoopbackError("no memory") }
        defer {
            EVP_PKEY_CTX_free(maker)
            X509_free(certificate)
        }
        var key: OpaquePointer?
        EVP_PKEY_keygen_init(maker)
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, NID_X9_62_prime256v1)
        EVP_PKEY_keygen(maker, &key)
        defer { EVP_PKEY_free(key) }
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600)
        X509_set_pubkey(certificate, key)
        let subject = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(subject, "CN", 0x1001, name, -1, -1, 0)
        X509_set_issuer_name(certificate, subject)
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw LoopbackError("cannot sign") }
        try withFile(files.certificate) { PEM_write_X509($0, certificate) }
        try withFile(files.key) { PEM_write_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private static func withFile(_ path: String, _ body: (UnsafeMutablePointer<FILE>) -> Int32) throws {
        guard let file = fopen(path, "w") else { throw LoopbackError("cannot write \(path)") }
        defer { fclose(file) }
        guard body(file) == 1 else { throw LoopbackError("cannot write \(path)") }
    }
}

/// Speaks TLS with a server whom it believes everything. Waiting is done off the task threads, ten seconds at most.
final class TLSPeer: @unchecked Sendable {
    // SAFETY: a test uses a peer from one task; the context is shared by OpenSSL's own rules.
    private let descriptor: Int32
    private let context: OpaquePointer
    private let handle: OpaquePointer

    init(port: Int, offering protocols: [String] = ["h2", "http/1.1"], version: Int32 = TLS1_3_VERSION, resuming: TLSPeer? = nil)
        async throws
    {
        guard let context = SSL_CTX_new(TLS_client_method()), let handle = SSL_new(context) else { throw LoopbackError("no memory") }
        self.context = context
        self.handle = handle
        SSL_ctrl(handle, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        let offer = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !offer.isEmpty { SSL_set_alpn_protos(handle, offer, UInt32(offer.count)) }
        if let session = resuming.flatMap({ SSL_get1_session($0.handle) }) {
            SSL_set_session(handle, session)
            SSL_SESSION_free(session)
        }
        descriptor = try connectedSocket(to: port)
        SSL_set_fd(handle, descriptor)
        try await offTasks { [self] in
            guard SSL_connect(self.handle) == 1 else {
                let reason = ERR_reason_error_string(ERR_get_error()).map { String(cString: $0) }
                throw LoopbackError("wanted a handshake, found \(reason ?? "the end")")
            }
        }
    }

    deinit {
        // A connection that is not ended properly would spoil its session for those who resume it.
        SSL_set_shutdown(handle, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(handle)
        SSL_CTX_free(context)
        close(descriptor)
    }

    /// What ALPN has chosen.
    var chosen: String {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(handle, &name, &count)
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    var isResumed: Bool { SSL_session_reused(handle) == 1 }

    /// The name in the server's certificate.
    var serverName: String {
        guard let certificate = SSL_get1_peer_certificate(handle) else { return "" }
        defer { X509_free(certificate) }
        var text = [CChar](repeating: 0, count: 100)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, 100)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func say(_ bytes: [UInt8]) async throws {
        try await offTasks { [self] in
            guard bytes.isEmpty || SSL_write(handle, bytes, Int32(bytes.count)) == bytes.count else { throw LoopbackError("cannot say") }
        }
    }

    func hear(_ count: Int) async throws -> [UInt8] {
        try await offTasks { [self] in
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while all.count < count {
                let more = Int(SSL_read(handle, &buffer, Int32(min(buffer.count, count - all.count))))
                guard more > 0 else { throw LoopbackError("wanted \(count) bytes, found the end after \(all.count)") }
                all += buffer[..<more]
            }
            return all
        }
    }

    /// Everything until the server says that there is no more; throws when it does not say so.
    func hearAll() async throws -> String {
        try await offTasks { [self] in
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let more = Int(SSL_read(handle, &buffer, Int32(buffer.count)))
                if more > 0 {
                    all += buffer[..<more]
                } else if SSL_get_error(handle, Int32(more)) == SSL_ERROR_ZERO_RETURN {
                    return String(decoding: all, as: UTF8.self)
                } else {
                    throw LoopbackError("wanted a proper end, found a cut after \"\(String(decoding: all, as: UTF8.self))\"")
                }
            }
        }
    }

    /// Says that nothing more will be said.
    func finishSaying() { SSL_shutdown(handle) }
}
