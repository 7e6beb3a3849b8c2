// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import KubeCore
import Synchronization
import Transport

/// Who we are, as of now: keeps what was read or given, until it is old or refused.
final class CredentialKeeper: Sendable {
    /// What a request carries.
    struct Credential: Equatable, Sendable {
        var authorization: String?
        var certificate: TLSSettings.PEM?
        var key: TLSSettings.PEM?
    }

    private struct Kept {
        var credential: Credential
        /// Read before, not to be used after; nil: as long as it works.
        var staleAt: ContinuousClock.Instant?
        var expiresAt: Timestamp?
    }

    private let source: Credentials
    private let kept = Mutex<Kept?>(nil)
    private let turn = Turnstile()
    private let now: @Sendable () -> Timestamp

    init(_ source: Credentials, now: @escaping @Sendable () -> Timestamp = CredentialKeeper.wallClock) {
        self.source = source
        self.now = now
    }

    /// The credential for a request of this moment. At most one program runs for it at a time.
    func current() async throws(KubeError) -> Credential {
        switch source {
        case .none: return Credential()
        case .token(let token): return Credential(authorization: "Bearer \(token)")
        case .basic(let user, let password):
            return Credential(authorization: "Basic \(Base64(Array("\(user):\(password)".utf8)).text)")
        case .tokenFile, .exec: break
        }
        if let fresh { return fresh }
        return try await turn.alone(orElse: .cancelled) { () async throws(KubeError) in
            if let fresh = self.fresh { return fresh }
            let renewed = try await self.renew()
            self.kept.withLock { $0 = renewed }
            return renewed.credential
        }
    }

    /// The server did not take it; true where asking again may give another.
    func refuse(_ credential: Credential) -> Bool {
        switch source {
        case .none, .token, .basic: return false
        case .tokenFile, .exec:
            kept.withLock { kept in
                // Somebody may have renewed it since.
                if kept?.credential == credential { kept = nil }
            }
            return true
        }
    }

    private var fresh: Credential? {
        guard let kept = kept.withLock({ $0 }) else { return nil }
        if let staleAt = kept.staleAt, staleAt <= .now { return nil }
        // Ten seconds early, so that it does not expire on the way.
        if let expiresAt = kept.expiresAt, expiresAt <= now() + .seconds(10) { return nil }
        return kept.credential
    }

    private func renew() async throws(KubeError) -> Kept {
        switch source {
        case .tokenFile(let path):
            do throws(ClusterConfigError) {
                let token = try ConfigFile.text(path)
                guard !token.isEmpty else { throw ClusterConfigError("wanted a token in \(path), found nothing") }
                return Kept(credential: Credential(authorization: "Bearer \(token)"), staleAt: .now + .seconds(60))
            } catch {
                throw .noCredentials("\(error)")
            }
        case .exec(let plugin):
            let answer = try await plugin.run()
            let credential = Credential(
                authorization: answer.token.map { "Bearer \($0)" }, certificate: answer.certificate.map { .bytes(Array($0.utf8)) },
                key: answer.key.map { .bytes(Array($0.utf8)) })
            return Kept(credential: credential, expiresAt: answer.expires)
        case .none, .token, .basic: return Kept(credential: Credential())
        }
    }

    /// The time of day, which is what expiry is told in.
    static func wallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
