// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
import JSON
import Synchronization
import Transport

/// Authorizations for registries: asked for when a registry demands one, kept until it runs out.
final class RegistryAuth: Sendable {
    /// An authorization is for one host, one credential and one set of scopes.
    struct Key: Hashable {
        var host: String
        var credential: RegistryCredential
        var scopes: [RegistryScope]
    }

    private struct Held {
        var header: String
        var expiry: ContinuousClock.Instant?
    }

    /// More authorizations than this are forgotten, oldest first to run out.
    private static let bound = 256

    private let held = Mutex<[Key: Held]>([:])
    private let clock: RegistryClock

    init(clock: RegistryClock) {
        self.clock = clock
    }

    /// The header to send for a key, if one is held that still lasts.
    func header(for key: Key) -> String? {
        let now = clock.now()
        return held.withLock { held in
            guard let found = held[key] else { return nil }
            if let expiry = found.expiry, expiry <= now {
                held[key] = nil
                return nil
            }
            return found.header
        }
    }

    /// Forgets an authorization that a registry no longer takes.
    func forget(_ key: Key) {
        held.withLock { $0[key] = nil }
    }

    /// Keeps a header until `lifetime` has passed, less a margin for requests under way.
    func keep(_ header: String, for key: Key, lifetime: Duration?) {
        let expiry = lifetime.map { clock.now() + max($0 * 4 / 5, .seconds(1)) }
        held.withLock { held in
            if held.count >= RegistryAuth.bound, let first = held.min(by: { RegistryAuth.runsOutFirst($0.value, $1.value) }) {
                held[first.key] = nil
            }
            held[key] = Held(header: header, expiry: expiry)
        }
    }

    private static func runsOutFirst(_ one: Held, _ other: Held) -> Bool {
        guard let expiry = one.expiry else { return false }
        return other.expiry.map { expiry < $0 } ?? true
    }

    /// The header that shows a credential itself; nil for nobody.
    static func plainHeader(_ credential: RegistryCredential) -> String? {
        switch credential {
        case .anonymous, .identityToken: nil
        case .basic(let user, let password): "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        case .registryToken(let token): "Bearer " + token
        }
    }
}

/// A token server's answer.
struct TokenAnswer: JSONRecord {
    var token: String?
    var accessToken: String?
    var expiresIn: Int?
    static let fields: JSONFields<TokenAnswer> = [
        .init("token", \.token), .init("access_token", \.accessToken), .init("expires_in", \.expiresIn),
    ]
}
