// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Composer
import HydroAPI
import KubeClient
import KubeCore
import OCI

/// Fetches from the cluster what a source names there: a ConfigMap's files, a Secret's credentials.
struct SourceLoader: Sendable {
    let client: ClusterClient

    /// The source as the composer takes it. Throws a `ComposerError` for what a person must mend.
    func load(_ source: ModelSource, in namespace: String) async throws -> SourceSpec {
        if let configMap = source.configMap { return try await files(configMap.name, in: namespace) }
        if let http = source.http {
            let secret = try await secret(http.secretName, in: namespace)
            return .http(url: http.url, sha256: http.sha256, credentials: secret.map(Self.credentials) ?? .none)
        }
        if let oci = source.oci {
            let secret = try await secret(oci.secretName, in: namespace)
            let keychain = try secret.map { secret in
                guard let json = secret.data[".dockerconfigjson"]?.bytes, let keychain = Self.keychain(json) else {
                    throw ComposerError(
                        .sourceDenied, "wants a .dockerconfigjson in Secret \"\(secret.metadata.name)\", found none that can be read")
                }
                return keychain
            }
            return .oci(reference: oci.reference, keychain: keychain ?? .anonymous)
        }
        return .external
    }

    /// The same for a version, whose source is pinned.
    func load(_ source: ModelVersion.Source, in namespace: String) async throws -> SourceSpec {
        var wanted = ModelSource()
        switch source.kind {
        case .configMap: wanted.configMap = LocalRef(source.uri ?? "")
        case .http:
            wanted.http = ModelSource.HTTP()
            wanted.http?.url = source.uri ?? ""
            wanted.http?.sha256 = source.digest.map { String($0.dropFirst("sha256:".count)) }
            wanted.http?.secretName = source.secretName
        case .oci:
            wanted.oci = ModelSource.OCIArtifact()
            wanted.oci?.reference = source.uri ?? ""
            wanted.oci?.secretName = source.secretName
        case .s3, .git, .external: wanted.external = ModelSource.External()
        }
        return try await load(wanted, in: namespace)
    }

    /// What a version records of a source, but for its digest.
    static func named(_ source: ModelSource) -> ModelVersion.Source {
        var named = ModelVersion.Source()
        if let configMap = source.configMap {
            named.kind = .configMap
            named.uri = configMap.name
        } else if let http = source.http {
            named.kind = .http
            named.uri = http.url
            named.secretName = http.secretName
        } else if let oci = source.oci {
            named.kind = .oci
            named.uri = oci.reference
            named.secretName = oci.secretName
        }
        return named
    }

    private func files(_ name: String, in namespace: String) async throws -> SourceSpec {
        guard let configMap = try await client.find(ConfigMap.self, ObjectKey(namespace, name)) else {
            throw ComposerError(.sourceNotFound, "wants the ConfigMap \"\(name)\" in namespace \"\(namespace)\", found none")
        }
        return .configMap(files: configMap.files)
    }

    private func secret(_ name: String?, in namespace: String) async throws -> Secret? {
        guard let name else { return nil }
        guard let secret = try await client.find(Secret.self, ObjectKey(namespace, name)) else {
            throw ComposerError(.sourceDenied, "wants the Secret \"\(name)\" in namespace \"\(namespace)\", found none")
        }
        return secret
    }

    private static func credentials(_ secret: Secret) -> SourceCredentials {
        if let token = secret.text("token") { return .bearer(token) }
        return .basic(user: secret.text("username") ?? "", password: secret.text("password") ?? "")
    }

    private static func keychain(_ json: [UInt8]) -> Keychain? {
        do { return try Keychain(dockerConfig: json) } catch { return nil }  // the caller names the Secret; its content is not to be shown
    }
}
