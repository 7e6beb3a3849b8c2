// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import Hashing
import JSON
package import Logging
import Synchronization

/// The keys of a JWK set (RFC 7517): those of a kind that we know and that may check signatures.
struct KeySet: Sendable {
    private struct Entry {
        var id: String?
        var algorithm: PublicKey.Algorithm?
        var key: PublicKey
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }

    init(json: [UInt8]) throws(JSONError) {
        let set = try JSONValue.decode(json: json)
        for member in set["keys"]?.array ?? [] {
            guard member["use"]?.string ?? "sig" == "sig", member["key_ops"]?.array?.contains("verify") ?? true,
                let key = Self.key(member)
            else { continue }
            let named = member["alg"]?.string
            let algorithm = named.flatMap(PublicKey.Algorithm.init(rawValue:))
            if named != nil, algorithm == nil { continue }
            entries.append(Entry(id: member["kid"]?.string, algorithm: algorithm, key: key))
        }
    }

    private static func key(_ member: JSONValue) -> PublicKey? {
        func bytes(_ name: String) -> [UInt8] { member[name]?.string.flatMap { Base64URL.decoded($0.utf8) } ?? [] }
        switch (member["kty"]?.string, member["crv"]?.string) {
        case ("RSA", _): return PublicKey(modulus: bytes("n"), exponent: bytes("e"))
        case ("EC", "P-256"): return PublicKey(curve: .p256, x: bytes("x"), y: bytes("y"))
        case ("EC", "P-384"): return PublicKey(curve: .p384, x: bytes("x"), y: bytes("y"))
        case ("OKP", "Ed25519"): return PublicKey(ed25519: bytes("x"))
        default: return nil
        }
    }

    /// Whether a key of the set signed the token: the one that it names, or if it names none, any of the kind.
    func signed(_ token: JSONWebToken) -> Bool {
        entries.contains { entry in
            guard entry.key.kind == token.algorithm.kind, entry.algorithm ?? token.algorithm == token.algorithm,
                token.keyID == nil || entry.id == nil || entry.id == token.keyID
            else { return false }
            return entry.key.signed(token.signed, token.signature, by: token.algorithm)
        }
    }
}

/// A JWK set in a file that may be replaced while we run. A file that turns bad changes nothing.
package final class KeyFile: Sendable {
    private struct State {
        var keys: KeySet?
        var generation = 0
        var stamp: Stamp?
        var lookedAt: ContinuousClock.Instant?
    }

    /// What tells one file from the next; a mounted ConfigMap is replaced by a link to another.
    private struct Stamp: Equatable {
        var inode: UInt
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private static let longest = 1 << 20
    private static let lookEvery = Duration.seconds(2)
    private let path: String
    private let logger: Logger
    private let state = Mutex(State())

    package init(_ path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// The keys as of now, and a number that changes with them; nil until there has been a good file. Costs one `stat` in two seconds.
    func current(now: ContinuousClock.Instant = .now) -> (keys: KeySet?, generation: Int) {
        state.withLock { state in
            if let lookedAt = state.lookedAt, now - lookedAt < Self.lookEvery { return (state.keys, state.generation) }
            state.lookedAt = now
            let stamp = Self.stamp(of: path)
            guard stamp != state.stamp || state.keys == nil else { return (state.keys, state.generation) }
            state.stamp = stamp
            do {
                let keys = try KeySet(json: Self.read(path))
                guard keys.count > 0 else {
                    throw JSONWebToken.Flaw(reason: "wanted at least one key to check signatures with, found none")
                }
                logger.info("JWKS read", metadata: ["file": "\(path)", "keys": "\(keys.count)"])
                state.keys = keys
                state.generation += 1
            } catch {
                let reason = (error as? JSONWebToken.Flaw)?.reason ?? "\(error)"
                logger.warning("JWKS not read, what was there stays", metadata: ["file": "\(path)", "error": "\(reason)"])
            }
            return (state.keys, state.generation)
        }
    }

    private static func stamp(of path: String) -> Stamp? {
        var seen = stat()
        guard stat(path, &seen) == 0 else { return nil }
        return Stamp(inode: UInt(seen.st_ino), size: Int(seen.st_size), seconds: seen.st_mtim.tv_sec, nanoseconds: seen.st_mtim.tv_nsec)
    }

    private static func read(_ path: String) throws(JSONWebToken.Flaw) -> [UInt8] {
        guard let file = fopen(path, "r") else { throw JSONWebToken.Flaw(reason: String(cString: strerror(errno))) }
        defer { fclose(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: longest + 1) { buffer, count in
            count = fread(buffer.baseAddress, 1, longest + 1, file)
        }
        guard bytes.count <= longest else { throw JSONWebToken.Flaw(reason: "wanted at most \(longest) bytes, found more") }
        return bytes
    }
}
