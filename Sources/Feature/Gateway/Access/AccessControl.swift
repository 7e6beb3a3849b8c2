// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import Hashing
import HydroAPI
import Synchronization
import Wire

/// Decides who may ask, by the bearer token of the request. (RFC 6750)
///
/// What was found out of a token is remembered by its digest; the lock around that is of one shard of many.
package final class AccessControl: Sendable {
    private enum Verdict {
        case admitted, stranger(String), forbidden(String), unknown(String)
        case abandoned
    }

    /// A token whose signature was checked with the keys of that generation.
    private struct Checked {
        var generation: Int
        var claims: Result<JSONWebToken.Claims, JSONWebToken.Flaw>
    }

    private final class Shard: Sendable {
        let checked = Mutex(TokenCache<Checked>(capacity: 512))
    }

    private let reviews: TokenReviews?
    private let keys: KeyFile?
    private let now: @Sendable () -> Int64
    private let shards = (0..<16).map { _ in Shard() }

    /// - Parameter now: seconds since 1970.
    package init(reviews: TokenReviews? = nil, keys: KeyFile? = nil, now: @escaping @Sendable () -> Int64 = { Int64(time(nil)) }) {
        self.reviews = reviews
        self.keys = keys
        self.now = now
    }

    /// Lets the caller in if any of the rules does.
    func admit(_ headers: WireHeaders, by rules: [Application.Access]) async throws(PredictionError) {
        guard let token = try Self.token(in: headers) else { throw .unauthenticated(nil) }
        var worst = Verdict.stranger("no rule accepts the token")
        for rule in rules {
            let verdict = await verdict(on: token, by: rule)
            switch (verdict, worst) {
            case (.admitted, _): return
            case (.abandoned, _): throw .abandoned
            // Who may be known, if only the API server could be asked, is told to come back.
            case (.unknown, _), (.forbidden, .stranger), (.stranger, .stranger): worst = verdict
            default: break
            }
        }
        switch worst {
        case .unknown(let reason): throw .cannotAuthenticate(reason)
        case .forbidden(let reason): throw .forbidden(reason)
        case .stranger(let reason): throw .unauthenticated(reason)
        case .admitted, .abandoned: return
        }
    }

    /// The token; nil where the caller sent no credentials of ours.
    private static func token(in headers: WireHeaders) throws(PredictionError) -> String? {
        guard let value = headers["authorization"], value.utf8.count > 7, value.prefix(7).lowercased() == "bearer " else { return nil }
        let token = value.dropFirst(7).drop { $0 == " " }
        guard (1...JSONWebToken.longest).contains(token.utf8.count), token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .unauthenticated("the token is malformed")
        }
        return String(token)
    }

    private func verdict(on token: String, by rule: Application.Access) async -> Verdict {
        var verdict = Verdict.unknown("the application's access has no rule")
        if let jwt = rule.jwt {
            verdict = self.verdict(on: token, by: jwt)
            if case .admitted = verdict { return verdict }
        }
        guard let review = rule.tokenReview else { return verdict }
        let reviewed = await self.verdict(on: token, by: review)
        if case .stranger = reviewed, case .forbidden = verdict { return verdict }
        return reviewed
    }

    private func verdict(on token: String, by rule: Application.Access.TokenReview) async -> Verdict {
        guard let reviews else { return .unknown("the gateway does not review tokens") }
        switch await reviews.outcome(of: token, for: rule.audiences) {
        case .failed(let reason): return .unknown(reason)
        case .abandoned: return .abandoned
        case .verdict(.refused(let reason)): return .stranger(reason)
        case .verdict(.identity(let user, let groups)):
            let isOpen = rule.users.isEmpty && rule.groups.isEmpty
            guard isOpen || rule.users.contains(user) || groups.contains(where: rule.groups.contains) else {
                return .forbidden("user \"\(user)\" is not among those who may ask")
            }
            return .admitted
        }
    }

    private func verdict(on token: String, by rule: Application.Access.JWT) -> Verdict {
        let current = keys?.current()
        guard let keys = current?.keys, let generation = current?.generation else {
            return .unknown("the gateway has no keys to check tokens with")
        }
        let claims: JSONWebToken.Claims
        do throws(JSONWebToken.Flaw) {
            claims = try self.claims(of: token, signedBy: keys, generation)
            try claims.check(now: now())
        } catch { return .stranger(error.reason) }
        guard claims.issuer == rule.issuer else { return .stranger("the token is of another issuer") }
        guard rule.audiences.isEmpty || claims.audiences.contains(where: rule.audiences.contains) else {
            return .stranger("the token is for another audience")
        }
        guard rule.subjects.isEmpty || rule.subjects.contains(claims.subject) else {
            return .forbidden("subject \"\(claims.subject.prefix(200))\" is not among those who may ask")
        }
        return .admitted
    }

    private func claims(of token: String, signedBy keys: KeySet, _ generation: Int) throws(JSONWebToken.Flaw) -> JSONWebToken.Claims {
        let digest = SHA256.digest(of: Array(token.utf8))
        let shard = shards[Int(digest[0]) % shards.count]
        if let known = shard.checked.withLock({ $0[digest] }), known.generation == generation { return try known.claims.get() }
        let claims = Result { () throws(JSONWebToken.Flaw) in
            let parsed = try JSONWebToken(token)
            guard keys.signed(parsed) else { throw JSONWebToken.Flaw(reason: "the token's signature is of no key that is trusted") }
            return parsed.claims
        }
        shard.checked.withLock { $0[digest] = Checked(generation: generation, claims: claims) }
        return try claims.get()
    }
}

extension PredictionError {
    /// What an HTTP caller is told to bring. (RFC 6750 §3)
    var challenge: String? {
        switch self {
        case .unauthenticated(nil): "Bearer realm=\"hydro\""
        case .unauthenticated(let reason?):
            "Bearer realm=\"hydro\", error=\"invalid_token\", error_description=\"\(Self.quotable(reason))\""
        default: nil
        }
    }

    /// As much as fits between quotes there.
    private static func quotable(_ text: String) -> String {
        String(text.unicodeScalars.map { (0x20...0x7e).contains($0.value) && !"\"\\".unicodeScalars.contains($0) ? Character($0) : "'" })
    }
}
