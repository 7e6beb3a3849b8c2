// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CCrypto

/// A SHA-256 in progress: feed it pieces, then ask for the digest.
///
/// A value: a copy goes its own way, so a digest of a prefix can be taken while the rest still flows.
/// *Cost*: one allocation per hash, and one more for each copy that is fed further; about 1 ns per byte and less.
package struct SHA256: Sendable {
    /// How many bytes a digest has.
    package static let byteCount = 32

    private var context = DigestContext()

    /// Starts a hash of nothing.
    package init() {}

    /// Takes in the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        own()
        context.update(bytes)
    }

    /// Takes in the next bytes.
    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Takes in the next bytes.
    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of everything so far. The hash itself can be fed further.
    package func finish() -> [UInt8] {
        // Closing a context ends it, so a copy is closed.
        context.copy().close()
    }

    /// The digest of everything so far, as 64 lower-case hexadecimal digits.
    package func finishHex() -> String {
        hexadecimal(finish())
    }

    /// The digest of `bytes`.
    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    /// The digest of `bytes`, as 64 lower-case hexadecimal digits.
    package static func hex(of bytes: [UInt8]) -> String {
        hexadecimal(digest(of: bytes))
    }

    private mutating func own() {
        if !isKnownUniquelyReferenced(&context) { context = context.copy() }
    }
}

/// Bytes as lower-case hexadecimal digits.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.underestimatedCount * 2)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// One of OpenSSL's digest contexts.
private final class DigestContext: @unchecked Sendable {
    // SAFETY: `SHA256` writes to a context only while it holds the one reference to it;
    // a context that two values share is only copied from, which OpenSSL allows at once.
    private let handle: OpaquePointer

    init() {
        handle = DigestContext.make()
        check(EVP_DigestInit_ex(handle, EVP_sha256(), nil))
    }

    private init(copyOf other: DigestContext) {
        handle = DigestContext.make()
        check(EVP_MD_CTX_copy_ex(handle, other.handle))
    }

    deinit {
        EVP_MD_CTX_free(handle)
    }

    func copy() -> DigestContext {
        DigestContext(copyOf: self)
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        check(EVP_DigestUpdate(handle, bytes.baseAddress, bytes.count))
    }

    func close() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, count in
            check(EVP_DigestFinal_ex(handle, buffer.baseAddress, nil))
            count = SHA256.byteCount
        }
    }

    private static func make() -> OpaquePointer {
        guard let handle = EVP_MD_CTX_new() else { preconditionFailure("no memory for a digest context") }
        return handle
    }
}

/// With valid arguments the digest calls fail only where memory or SHA-256 itself is missing: nothing can go on then.
private func check(_ result: Int32) {
    precondition(result == 1, "libcrypto refused a SHA-256 step")
}
