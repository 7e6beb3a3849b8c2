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
        package init() {}
    }
}
