// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import Transport
import Yaml

/// One or several kubeconfig files as one: what an earlier file says of a name holds.
struct Kubeconfig: Sendable {
    private var clusters: [String: (cluster: ClusterEntry, folder: String)] = [:]
    private var users: [String: (user: UserEntry, folder: String)] = [:]
    private var contexts: [String: ContextEntry] = [:]
    private var current = ""

    /// Reads the files; those that are missing are passed over as long as one is there.
    init(reading paths: [String]) throws(ClusterConfigError) {
        var missing: ClusterConfigError?
        var found = false
        for path in paths {
            let bytes: [UInt8]
            do throws(ClusterConfigError) {
                bytes = try ConfigFile.bytes(path)
            } catch {
                missing = error
                continue
            }
            found = true
            try add(bytes, path: path)
        }
        if !found { throw missing ?? ClusterConfigError("wanted a kubeconfig file, found no path") }
    }

    init(_ text: String, path: String = "kubeconfig") throws(ClusterConfigError) {
        try add(Array(text.utf8), path: path)
    }

    /// The configuration that a context stands for.
    func config(context: String? = nil) throws(ClusterConfigError) -> ClusterConfig {
        let name = context ?? current
        guard let chosen = contexts[name] else {
            throw ClusterConfigError("wanted the context \"\(name)\", found \(Self.list(contexts.keys))")
        }
        guard let (cluster, clusterFolder) = clusters[chosen.cluster] else {
            throw ClusterConfigError("wanted the cluster \"\(chosen.cluster)\" of context \"\(name)\", found \(Self.list(clusters.keys))")
        }
        guard cluster.server.hasPrefix("https://") || cluster.server.hasPrefix("http://") else {
            throw ClusterConfigError("wanted an http or https server in cluster \"\(chosen.cluster)\", found \"\(cluster.server)\"")
        }
        // Both change how the server is reached; going on without them would reach another.
        guard cluster.proxyURL.isEmpty, cluster.tlsServerName.isEmpty else {
            throw ClusterConfigError("cluster \"\(chosen.cluster)\": proxy-url and tls-server-name are not supported")
        }
        var tls = TLSSettings(skipVerify: cluster.skipVerify)
        tls.ca = Self.pem(cluster.caData, cluster.ca, in: clusterFolder)
        var credentials = Credentials.none
        if !chosen.user.isEmpty {
            guard let (user, folder) = users[chosen.user] else {
                throw ClusterConfigError("wanted the user \"\(chosen.user)\" of context \"\(name)\", found \(Self.list(users.keys))")
            }
            tls.clientCertificate = Self.pem(user.certificateData, user.certificate, in: folder)
            tls.clientKey = Self.pem(user.keyData, user.key, in: folder)
            credentials = try user.credentials(named: chosen.user, in: folder, cluster: cluster)
        }
        return ClusterConfig(
            server: cluster.server.last == "/" ? String(cluster.server.dropLast()) : cluster.server, tls: tls, credentials: credentials,
            namespace: chosen.namespace.isEmpty ? "default" : chosen.namespace)
    }

    private mutating func add(_ bytes: [UInt8], path: String) throws(ClusterConfigError) {
        let file: KubeconfigFile
        do {
            guard let document = try YamlParser.documents(bytes).first else { return }
            file = try KubeconfigFile.decode(json: document.json())
        } catch {
            throw ClusterConfigError("wanted a kubeconfig in \(path), found: \(error)")
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        for entry in file.clusters where clusters[entry.name] == nil { clusters[entry.name] = (entry.cluster, folder) }
        for entry in file.users where users[entry.name] == nil { users[entry.name] = (entry.user, folder) }
        for entry in file.contexts where contexts[entry.name] == nil { contexts[entry.name] = entry.context }
        if current.isEmpty { current = file.currentContext }
    }

    private static func pem(_ inline: Base64?, _ path: String, in folder: String) -> TLSSettings.PEM? {
        if let inline, !inline.bytes.isEmpty { return .bytes(inline.bytes) }
        return path.isEmpty ? nil : .file(absolute(path, in: folder))
    }

    /// Paths in a kubeconfig are relative to the file that names them.
    fileprivate static func absolute(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    private static func list(_ names: some Collection<String>) -> String {
        names.isEmpty ? "none" : names.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
    }
}

extension UserEntry {
    fileprivate func credentials(named name: String, in folder: String, cluster: ClusterEntry) throws(ClusterConfigError) -> Credentials {
        if authProvider != nil { throw ClusterConfigError("user \"\(name)\": auth-provider is gone from Kubernetes; use exec") }
        if let exec {
            let known = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]
            guard known.contains(exec.apiVersion) else {
                throw ClusterConfigError(
                    "user \"\(name)\": wanted exec of \(known.joined(separator: " or ")), found \"\(exec.apiVersion)\"")
            }
            let command = exec.command.contains("/") ? Kubeconfig.absolute(exec.command, in: folder) : exec.command
            return .exec(
                ExecPlugin(
                    apiVersion: exec.apiVersion, command: command, arguments: exec.args,
                    environment: exec.env.map { ($0.name, $0.value) }.reduce(into: [:]) { $0[$1.0] = $1.1 },
                    cluster: exec.provideClusterInfo ? cluster.told : nil))
        }
        // As kubectl has it: a file wins over a token that is written down.
        if !tokenFile.isEmpty { return .tokenFile(Kubeconfig.absolute(tokenFile, in: folder)) }
        if !token.isEmpty { return .token(token) }
        return username.isEmpty ? .none : .basic(user: username, password: password)
    }
}
