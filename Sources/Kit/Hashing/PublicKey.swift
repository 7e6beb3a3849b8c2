// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CCrypto

/// A public key that says whether somebody signed something. (RFC 8017, RFC 5480, RFC 8032)
///
/// *Cost* of a check: about 30 µs for RSA with 2048 bits, 100 µs for a curve.
package final class PublicKey: @unchecked Sendable {
    // SAFETY: the handle is made whole and only read afterwards, which OpenSSL allows on many threads; each check has a context of its own.
    private let handle: OpaquePointer
    /// What the key is for: one kind of key takes one kind of signature.
    package let kind: Kind

    package enum Kind: Sendable { case rsa, p256, p384, ed25519 }

    /// How a signature was made; the names of RFC 7518 and RFC 8037.
    package enum Algorithm: String, Sendable, CaseIterable {
        case rs256 = "RS256"
        case rs384 = "RS384"
        case rs512 = "RS512"
        case ps256 = "PS256"
        case ps384 = "PS384"
        case ps512 = "PS512"
        case es256 = "ES256"
        case es384 = "ES384"
        case edDSA = "EdDSA"

        /// The kind of key that it goes with.
        package var kind: Kind {
            switch self {
            case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
            case .es256: .p256
            case .es384: .p384
            case .edDSA: .ed25519
            }
        }
    }

    /// The shortest modulus that is taken, in bits.
    package static let shortestModulus = 2048

    /// An RSA key from its modulus and exponent, big-endian; nil for what is no key, or one too short to trust.
    package convenience init?(modulus: [UInt8], exponent: [UInt8]) {
        guard !modulus.isEmpty, !exponent.isEmpty, modulus.count <= 2048, exponent.count <= 8 else { return nil }
        let key = DER.sequence(DER.number(modulus) + DER.number(exponent))
        self.init(DER.publicKey(DER.oid([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]) + [0x05, 0x00], key), .rsa)
        guard EVP_PKEY_get_bits(handle) >= Int32(Self.shortestModulus) else { return nil }
    }

    /// A point of a NIST curve, its coordinates big-endian and of the curve's length; nil for what is not on the curve.
    package convenience init?(curve: Kind, x: [UInt8], y: [UInt8]) {
        let (name, length): ([UInt8], Int)
        switch curve {
        case .p256: (name, length) = ([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 32)
        case .p384: (name, length) = ([0x2b, 0x81, 0x04, 0x00, 0x22], 48)
        case .rsa, .ed25519: return nil
        }
        guard x.count == length, y.count == length else { return nil }
        self.init(DER.publicKey(DER.oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]) + DER.oid(name), [0x04] + x + y), curve)
    }

    /// An Ed25519 key of 32 bytes.
    package convenience init?(ed25519 bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.init(DER.publicKey(DER.oid([0x2b, 0x65, 0x70]), bytes), .ed25519)
    }

    /// A SubjectPublicKeyInfo.
    private init?(_ der: [UInt8], _ kind: Kind) {
        let handle = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        guard let handle else {
            ERR_clear_error()
            return nil
        }
        self.handle = handle
        self.kind = kind
    }

    deinit { EVP_PKEY_free(handle) }

    /// Whether the signature, as RFC 7518 lays it out, is this key's under the message. False for an algorithm of another kind of key.
    package func signed(_ message: [UInt8], _ signature: [UInt8], by algorithm: Algorithm) -> Bool {
        guard algorithm.kind == kind, let laid = Self.laidOut(signature, kind), let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            // A wrong signature leaves its reasons on the thread's list, where the next one would find them.
            ERR_clear_error()
        }
        var detail: OpaquePointer?
        guard EVP_DigestVerifyInit(context, &detail, Self.digest(of: algorithm), nil, handle) == 1 else { return false }
        if [.ps256, .ps384, .ps512].contains(algorithm) {
            guard EVP_PKEY_CTX_set_rsa_padding(detail, RSA_PKCS1_PSS_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(detail, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return false }
        }
        return EVP_DigestVerify(context, laid, laid.count, message, message.count) == 1
    }

    private static func digest(of algorithm: Algorithm) -> OpaquePointer? {
        switch algorithm {
        case .rs256, .ps256, .es256: EVP_sha256()
        case .rs384, .ps384, .es384: EVP_sha384()
        case .rs512, .ps512: EVP_sha512()
        case .edDSA: nil
        }
    }

    /// Curves: two numbers side by side become the sequence that OpenSSL reads.
    private static func laidOut(_ signature: [UInt8], _ kind: Kind) -> [UInt8]? {
        let length: Int
        switch kind {
        case .rsa, .ed25519: return signature
        case .p256: length = 32
        case .p384: length = 48
        }
        guard signature.count == 2 * length else { return nil }
        return DER.sequence(DER.number(Array(signature[..<length])) + DER.number(Array(signature[length...])))
    }
}

/// As much of DER (X.690) as public keys and signatures need.
private enum DER {
    static func sequence(_ content: [UInt8]) -> [UInt8] { tagged(0x30, content) }

    static func oid(_ content: [UInt8]) -> [UInt8] { tagged(0x06, content) }

    /// A number that is not negative, from big-endian bytes.
    static func number(_ bytes: [UInt8]) -> [UInt8] {
        var digits = Array(bytes.drop { $0 == 0 })
        if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
        return tagged(0x02, digits)
    }

    /// A SubjectPublicKeyInfo.
    static func publicKey(_ algorithm: [UInt8], _ key: [UInt8]) -> [UInt8] {
        sequence(sequence(algorithm) + tagged(0x03, [0] + key))
    }

    private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(rest & 0xff), at: 0)
            rest >>= 8
        }
        if content.count < 0x80 { return [tag, UInt8(content.count)] + content }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }
}
