// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeClient
package import KubeCore

/// What the API server can do; asked once, when the operator starts.
package struct ServerFeatures: Sendable, Equatable {
    package var autoscaler: ResourceKind?
    package var disruptionBudget: ResourceKind?
    /// Kubelets ask gRPC health by themselves from 1.24 on.
    package var hasGRPCProbes: Bool

    package init(autoscaler: ResourceKind?, disruptionBudget: ResourceKind?, hasGRPCProbes: Bool) {
        self.autoscaler = autoscaler
        self.disruptionBudget = disruptionBudget
        self.hasGRPCProbes = hasGRPCProbes
    }

    package static func ask(_ client: ClusterClient) async throws -> ServerFeatures {
        let autoscaler = HorizontalPodAutoscaler.kind
        let budget = PodDisruptionBudget.kind
        let version = try await client.serverVersion()
        return ServerFeatures(
            autoscaler: try await client.preferred([autoscaler, autoscaler.at(version: "v2beta2")]),
            disruptionBudget: try await client.preferred([budget, budget.at(version: "v1beta1")]),
            hasGRPCProbes: (version.major, version.minor) >= (1, 24))
    }
}
