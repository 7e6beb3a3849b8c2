// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
package import KubeCore
import Synchronization

/// What the server can do, asked once and kept for ten minutes: a server may be upgraded under us.
final class Discovery: Sendable {
    struct Known: Sendable {
        /// The kinds of each group version; empty for one that is not served.
        var kinds: [String: (names: Set<String>, at: ContinuousClock.Instant)] = [:]
        var version: (major: Int, minor: Int, at: ContinuousClock.Instant)?
    }

    static let lifetime = Duration.seconds(600)

    let known = Mutex(Known())
    let turn = Turnstile()

    func kinds(of apiVersion: String) -> Set<String>? {
        known.withLock { known in
            guard let kept = known.kinds[apiVersion], kept.at + Self.lifetime > .now else { return nil }
            return kept.names
        }
    }

    var version: (major: Int, minor: Int)? {
        known.withLock { known in
            guard let kept = known.version, kept.at + Self.lifetime > .now else { return nil }
            return (kept.major, kept.minor)
        }
    }
}

extension ClusterClient {
    /// Whether the server knows the kind in that version of its group. Asked once for each group version.
    package func serves(_ group: String, _ version: String, _ kind: String) async throws(KubeError) -> Bool {
        let apiVersion = group.isEmpty ? version : "\(group)/\(version)"
        if let kinds = discovery.kinds(of: apiVersion) { return kinds.contains(kind) }
        return try await discovery.turn.alone(orElse: .cancelled) { () async throws(KubeError) in
            if let kinds = self.discovery.kinds(of: apiVersion) { return kinds.contains(kind) }
            let kinds = try await self.askForKinds(of: apiVersion, at: group.isEmpty ? "/api/\(version)" : "/apis/\(apiVersion)")
            self.discovery.known.withLock { $0.kinds[apiVersion] = (kinds, .now) }
            return kinds.contains(kind)
        }
    }

    /// The first of the kinds that the server serves.
    package func preferred(_ candidates: [ResourceKind]) async throws(KubeError) -> ResourceKind? {
        for candidate in candidates where try await serves(candidate.group, candidate.version, candidate.kind) { return candidate }
        return nil
    }

    /// The server's version, without the additions that vendors make.
    package func serverVersion() async throws(KubeError) -> (major: Int, minor: Int) {
        if let version = discovery.version { return version }
        return try await discovery.turn.alone(orElse: .cancelled) { () async throws(KubeError) in
            if let version = self.discovery.version { return version }
            let answer: VersionAnswer = try await self.decoded(KubeRequest("GET", "/version"), named: "get the server's version")
            guard let major = Int(answer.major.prefix { $0.isNumber }), let minor = Int(answer.minor.prefix { $0.isNumber }) else {
                throw .badAnswer(request: "get the server's version", reason: "wanted numbers, found \"\(answer.major).\(answer.minor)\"")
            }
            self.discovery.known.withLock { $0.version = (major, minor, .now) }
            return (major, minor)
        }
    }

    private func askForKinds(of apiVersion: String, at path: String) async throws(KubeError) -> Set<String> {
        do throws(KubeError) {
            let answer: KindsAnswer = try await decoded(KubeRequest("GET", path), named: "list the kinds of \(apiVersion)")
            return Set(answer.resources.map(\.kind))
        } catch .notFound {
            return []
        }
    }
}

private struct KindsAnswer: JSONRecord {
    var resources: [Resource] = []
    static let fields: JSONFields<KindsAnswer> = [.init("resources", \.resources)]

    struct Resource: JSONRecord {
        var kind = ""
        static let fields: JSONFields<Resource> = [.init("kind", \.kind)]
    }
}

private struct VersionAnswer: JSONRecord {
    var major = ""
    var minor = ""
    static let fields: JSONFields<VersionAnswer> = [.init("major", \.major), .init("minor", \.minor)]
}
