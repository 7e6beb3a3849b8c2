// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeClient
import KubeCore
import KubeRuntime

/// Keeps the gateway's Deployment, Service, budget and rights as the settings ask.
struct GatewayKeeper: Sendable {
    let stores: Stores
    let client: ClusterClient
    let settings: OperatorSettings
    let features: ServerFeatures
    /// The operator's own Deployment.
    let operatorKey: ObjectKey

    /// One pass; what is as it should be is not written.
    func reconcile(_ key: ObjectKey) async throws -> Verdict {
        guard !settings.gateway.image.isEmpty else { return .settled }
        let owner = try await client.find(Deployment.self, operatorKey)?.asOwner
        let desired = GatewayDesired(settings, owner: owner)
        do {
            try await keep(desired.account, live: client.find(ServiceAccount.self, key))
            let clusterKey = ObjectKey("", GatewayDesired.name)
            try await keep(desired.role, live: client.find(ClusterRole.self, clusterKey))
            try await keep(desired.binding, live: client.find(ClusterRoleBinding.self, clusterKey))
            try await keep(desired.service, live: stores.services.get(key))
            if let kind = features.disruptionBudget { try await keep(desired.budget, live: stores.budgets.get(key), kind: kind) }
            if let kind = features.autoscaler {
                if let autoscaler = desired.autoscaler {
                    try await keep(autoscaler, live: stores.autoscalers.get(key), kind: kind)
                } else if let extra = stores.autoscalers.get(key) {
                    _ = try await client.delete(kind, key, uid: extra.metadata.uid)
                }
            }
            try await keep(desired.deployment, live: stores.deployments.get(key))
            return .settled
        } catch let error where !Task.isCancelled {
            return .failing(message: "\(error)")
        }
    }

    private func keep<Object: KubeResource>(_ wanted: Object, live: Object?, kind: ResourceKind? = nil) async throws {
        guard Desired.drift(wanted: wanted, found: live) != nil else { return }
        _ = try await client.apply(wanted, kind: kind)
    }
}
