// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeCore

/// What the installation decides for all objects.
package struct OperatorSettings: Sendable {
    /// The namespace that Hydro itself lives in: its Runtimes serve all namespaces.
    package var namespace: String
    /// Namespaces to look after; empty for all.
    package var watchedNamespaces: [String] = []
    /// Where images are pushed: `registry.example/prefix`.
    package var registry: String
    /// The name under which pods pull what was pushed to `registry`, where it differs.
    package var registryPullHost: String?
    /// A `kubernetes.io/dockerconfigjson` Secret, for pushing (in Hydro's namespace) and for pods (in theirs).
    package var registrySecret: String?
    package var gateway = GatewaySettings()
    /// How long an unused servable is kept, so that gateways have left it before it goes.
    package var lingering: Duration = .seconds(10)

    package init(namespace: String, registry: String) {
        self.namespace = namespace
        self.registry = registry
    }

    /// `registry/prefix/namespace/model`.
    package func repository(namespace: String, model: String) -> String { "\(registry)/\(namespace)/\(model)" }

    /// An image that was pushed, as pods pull it.
    package func pulled(_ image: String) -> String {
        guard let registryPullHost else { return image }
        let host = registry.prefix { $0 != "/" }
        guard image.hasPrefix(host + "/") else { return image }
        return registryPullHost + image.dropFirst(host.count)
    }

    /// An image that pods pull, as the operator reaches it.
    package func pushed(_ image: String) -> String {
        guard let registryPullHost, image.hasPrefix(registryPullHost + "/") else { return image }
        return String(registry.prefix { $0 != "/" }) + image.dropFirst(registryPullHost.count)
    }

    package struct GatewaySettings: Sendable, Equatable {
        package var image = ""
        package var replicas = 2
        package var serviceType = "ClusterIP"
        package var resources = Resources(requests: ["cpu": "50m", "memory": "64Mi"], limits: ["memory": "1Gi"])
        /// Where above 0, an autoscaler keeps between `replicas` and so many gateways.
        package var maxReplicas = 0
        /// The share of requested CPU, in percent, that the autoscaler aims at.
        package var targetCPU = 70
        /// A `kubernetes.io/tls` Secret: both ports speak TLS then.
        package var tlsSecret: String?
        /// A ConfigMap or Secret with the keys that sign callers' tokens under `jwks.json`.
        package var jwks: KeySource?
        /// Whether the gateway is to tell what it sees to a socket in the pod's `tap` volume.
        package var hasTap = false
        /// `off`, `errors`, or a share of the requests.
        package var accessLog: String?
        package init() {}

        /// Whether an autoscaler decides how many gateways there are.
        package var isAutoscaled: Bool { maxReplicas > replicas }
    }

    /// Where the keys are.
    package enum KeySource: Sendable, Equatable {
        case configMap(String), secret(String)
    }
}
