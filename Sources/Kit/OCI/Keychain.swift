// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
package import JSON

/// Who to be at a registry.
package enum RegistryCredential: Hashable, Sendable {
    case anonymous
    case basic(user: String, password: String)
    /// A refresh token, exchanged for access tokens where the registry sends us.
    case identityToken(String)
    /// A token to show as it is.
    case registryToken(String)
}

/// Credentials for registries, as Docker's configuration has them.
///
/// An entry's key is a host, or a host with a path for a part of its repositories; `*` stands for a part of a host's label.
/// The longest key that fits wins.
package struct Keychain: Hashable, Sendable {
    private struct Entry: Hashable {
        var key: String
        var credential: RegistryCredential
    }

    private var entries: [Entry] = []

    /// Knows nobody: every request is anonymous.
    package static let anonymous = Keychain()

    package init() {}

    /// One credential for one registry.
    package init(registry: String, _ credential: RegistryCredential) {
        add(registry, credential)
    }

    /// Reads the `.dockerconfigjson` of a secret, or the old `.dockercfg`, which is its `auths` alone.
    package init(dockerConfig json: [UInt8]) throws(JSONError) {
        let document = try JSONValue.decode(json: json)
        guard case .object(let auths) = document["auths"] ?? document else {
            throw JSONError("wanted an object of registries", path: "auths")
        }
        for (key, value) in auths.sorted(by: { $0.key < $1.key }) {
            do throws(JSONError) {
                add(key, try Keychain.credential(value))
            } catch {
                throw error.inside(key).inside("auths")
            }
        }
    }

    /// Adds a credential under a key, or replaces the one there.
    package mutating func add(_ key: String, _ credential: RegistryCredential) {
        let key = Keychain.normal(key)
        entries.removeAll { $0.key == key }
        entries.append(Entry(key: key, credential: credential))
        entries.sort { ($0.key.utf8.count, $1.key) > ($1.key.utf8.count, $0.key) }
    }

    /// The credential for a repository.
    package func credential(for repository: Repository) -> RegistryCredential {
        entries.first { Keychain.fits($0.key, repository) }?.credential ?? .anonymous
    }

    /// Without scheme, API version and trailing slash; Docker Hub has many names.
    private static func normal(_ key: String) -> String {
        var key = key[...]
        for scheme in ["https://", "http://"] where key.hasPrefix(scheme) { key = key.dropFirst(scheme.count) }
        for suffix in ["/", "/v1", "/v2"] where key.hasSuffix(suffix) { key = key.dropLast(suffix.count) }
        return ["index.docker.io", "registry-1.docker.io"].contains(key) ? "docker.io" : String(key)
    }

    private static func fits(_ key: String, _ repository: Repository) -> Bool {
        let parts = key.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, sameHost(host, repository.registry) else { return false }
        guard parts.count == 2, !parts[1].isEmpty else { return true }
        return repository.name == parts[1] || repository.name.hasPrefix(parts[1] + "/")
    }

    private static func sameHost(_ pattern: Substring, _ host: String) -> Bool {
        let wanted = pattern.split(separator: ".", omittingEmptySubsequences: false)
        let found = host.split(separator: ".", omittingEmptySubsequences: false)
        return wanted.count == found.count && zip(wanted, found).allSatisfy { matches($0, $1) }
    }

    private static func matches(_ pattern: Substring, _ label: Substring) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return pattern == label }
        let (head, tail) = (pattern[..<star], pattern[pattern.index(after: star)...])
        return label.count >= head.count + tail.count && label.hasPrefix(head) && label.hasSuffix(tail)
    }

    private static func credential(_ value: JSONValue) throws(JSONError) -> RegistryCredential {
        if let token = value["registrytoken"]?.string, !token.isEmpty { return .registryToken(token) }
        if let token = value["identitytoken"]?.string, !token.isEmpty { return .identityToken(token) }
        if let auth = value["auth"]?.string, !auth.isEmpty {
            // What the value held stays out of the message.
            guard let data = Data(base64Encoded: auth.trimmingCharacters(in: .whitespacesAndNewlines)),
                let text = String(validating: data, as: UTF8.self), let colon = text.firstIndex(of: ":")
            else { throw JSONError("wanted base64 of user:password", path: "auth") }
            // Some writers end the password with a zero byte.
            let password = text[text.index(after: colon)...].trimmingCharacters(in: CharacterSet(charactersIn: "\0"))
            return .basic(user: String(text[..<colon]), password: password)
        }
        guard let user = value["username"]?.string, !user.isEmpty else { return .anonymous }
        return .basic(user: user, password: value["password"]?.string ?? "")
    }
}
