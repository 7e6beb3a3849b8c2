// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Transport

/// Where a cluster is, whom it trusts, and who we are to it.
package struct ClusterConfig: Sendable {
    /// `https://10.0.0.1:443`, without a slash at its end.
    package var server: String
    package var tls: TLSSettings
    package var credentials: Credentials
    /// The namespace of those who name none.
    package var namespace: String

    package init(server: String, tls: TLSSettings = TLSSettings(), credentials: Credentials = .none, namespace: String = "default") {
        self.server = server
        self.tls = tls
        self.credentials = credentials
        self.namespace = namespace
    }

    /// What a pod's service account gives: the token file is read again as it is renewed.
    package static func inCluster(
        environment: [String: String], folder: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) throws(ClusterConfigError) -> ClusterConfig {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"], !host.isEmpty else {
            throw ClusterConfigError("wanted KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, found none: not in a pod")
        }
        let namespace = try ConfigFile.text("\(folder)/namespace")
        return ClusterConfig(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
            tls: TLSSettings(ca: .file("\(folder)/ca.crt")), credentials: .tokenFile("\(folder)/token"),
            namespace: namespace.isEmpty ? "default" : namespace)
    }

    /// What a kubeconfig file says of a context, by default its current one.
    package static func kubeconfig(path: String, context: String? = nil) throws(ClusterConfigError) -> ClusterConfig {
        try Kubeconfig(reading: [path]).config(context: context)
    }

    /// In a pod its account; else the files that `KUBECONFIG` names, else `~/.kube/config`.
    package static func detect(environment: [String: String], context: String? = nil) throws(ClusterConfigError) -> ClusterConfig {
        if let list = environment["KUBECONFIG"], !list.isEmpty {
            return try Kubeconfig(reading: list.split(separator: ":").map(String.init)).config(context: context)
        }
        if environment["KUBERNETES_SERVICE_HOST"] != nil { return try inCluster(environment: environment) }
        guard let home = environment["HOME"] else {
            throw ClusterConfigError("wanted a pod's account, KUBECONFIG or HOME, found none")
        }
        return try kubeconfig(path: "\(home)/.kube/config", context: context)
    }
}

/// How we say who we are, beside a client certificate.
package enum Credentials: Equatable, Sendable {
    case none
    case token(String)
    /// Read again every minute and after a refusal.
    case tokenFile(String)
    case basic(user: String, password: String)
    case exec(ExecPlugin)
}

/// Why there is no configuration of a cluster.
package struct ClusterConfigError: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
