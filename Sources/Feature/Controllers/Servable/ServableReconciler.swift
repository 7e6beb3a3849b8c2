// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import KubeClient
import KubeCore
import KubeRuntime

/// Keeps a servable's Deployment, Service, autoscaler and disruption budget.
struct ServableReconciler: Sendable {
    let stores: Stores
    let client: ClusterClient
    let reporter: Reporter
    let settings: OperatorSettings
    let features: ServerFeatures

    /// Brings the cluster one step closer to what the servable asks for.
    func reconcile(_ servable: Servable) async throws -> Verdict {
        let plan = ServablePlan(for: servable, given: observe(servable), settings: settings, features: features)
        var standing = plan.standing
        let verdict = try await carryOut(plan)
        if case .failing(let message) = verdict { standing = .working(reason: "ApplyFailed", message: message) }
        try await reporter.report(plan.status, standing, on: servable)
        return verdict
    }

    private func observe(_ servable: Servable) -> ServableObserved {
        let key = servable.key
        var seen = ServableObserved()
        seen.version = stores.versions.get(ObjectKey(key.namespace, servable.spec.modelVersion))
        if let name = servable.spec.deploymentConfiguration {
            seen.configuration = .some(stores.configurations.get(ObjectKey(key.namespace, name)))
        }
        seen.deployment = stores.deployments.get(key)
        seen.service = stores.services.get(key)
        seen.autoscaler = stores.autoscalers.get(key)
        seen.budget = stores.budgets.get(key)
        seen.pods = stores.pods.indexed(Stores.byServable, key.description)
        return seen
    }

    private func carryOut(_ plan: ServablePlan) async throws -> Verdict {
        do {
            for step in plan.steps { try await perform(step) }
            return plan.verdict
        } catch let error where !Task.isCancelled {
            return .failing(message: "\(error)")
        }
    }

    private func perform(_ step: ServablePlan.Step) async throws {
        switch step {
        case .applyDeployment(let deployment): _ = try await client.apply(deployment)
        case .applyService(let service): _ = try await client.apply(service)
        case .applyAutoscaler(let autoscaler): _ = try await client.apply(autoscaler, kind: features.autoscaler)
        case .applyBudget(let budget): _ = try await client.apply(budget, kind: features.disruptionBudget)
        case .deleteAutoscaler(let key):
            guard let kind = features.autoscaler else { return }
            _ = try await client.delete(kind, key)
        }
    }
}
