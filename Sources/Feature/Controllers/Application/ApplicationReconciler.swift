// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import JSON
import KubeClient
import KubeCore
import KubeRuntime
import Synchronization

/// Keeps an application's servables and publishes its route.
final class ApplicationReconciler: Sendable {
    private let stores: Stores
    private let client: ClusterClient
    private let reporter: Reporter
    private let settings: OperatorSettings
    private let kafka: KafkaFindings
    private let now: @Sendable () -> ContinuousClock.Instant
    /// Since when each servable has been out of its application's use. Forgotten with the process, which only delays its end.
    private let unusedSince = Mutex<[ObjectKey: [String: ContinuousClock.Instant]]>([:])

    init(
        stores: Stores, client: ClusterClient, reporter: Reporter, settings: OperatorSettings, kafka: KafkaFindings = KafkaFindings(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock().now }
    ) {
        self.stores = stores
        self.client = client
        self.reporter = reporter
        self.settings = settings
        self.kafka = kafka
        self.now = now
    }

    /// Brings the cluster one step closer to what the application asks for.
    func reconcile(_ application: Application) async throws -> Verdict {
        let plan = ApplicationPlan(for: application, given: try await observe(application), settings: settings)
        var standing = plan.standing
        let verdict = try await carryOut(plan, of: application)
        if case .failing(let message) = verdict { standing = .working(reason: "ApplyFailed", message: message) }
        try await reporter.report(plan.status, standing, also: plan.conditions, on: application)
        return verdict
    }

    /// Forgets an application that is gone.
    func forget(_ key: ObjectKey) { unusedSince.withLock { $0[key] = nil } }

    private func observe(_ application: Application) async throws -> ApplicationObserved {
        let namespace = application.key.namespace
        var seen = ApplicationObserved()
        for name in Set(application.spec.stages.flatMap { $0.variants.map(\.model) }) {
            seen.models[name] = stores.models.get(ObjectKey(namespace, name))
            seen.versions[name] = stores.versions(of: ObjectKey(namespace, name)).filter { !$0.isBeingDeleted }
        }
        for servable in stores.servables.indexed(Stores.byNamespace, namespace) where !servable.isBeingDeleted {
            seen.servables[servable.metadata.name] = servable
        }
        seen.unusedFor = unusedFor(application, seen)
        (seen.gatewayURL, seen.gatewayGRPC) = GatewayDesired.addresses(settings)
        seen.kafka = kafka.standing
        seen.grant = try await grant(application)
        return seen
    }

    /// Asked for only where there is one, or should be: hardly any Application names Secrets.
    private func grant(_ application: Application) async throws -> KafkaGrantSeen {
        guard KafkaGrant.isWanted(application) || KafkaGrant.mayBeThere(application) else { return KafkaGrantSeen() }
        let key = KafkaGrant.key(application.key)
        return KafkaGrantSeen(role: try await client.find(Role.self, key), binding: try await client.find(RoleBinding.self, key))
    }

    private func unusedFor(_ application: Application, _ seen: ApplicationObserved) -> [String: Duration] {
        let ownership = ServableOwnership(
            of: application, route: application.status.activeRoute, wanted: wanted(application, seen), given: seen, settings: settings)
        let unused = ownership.unused.map(\.metadata.name)
        let moment = now()
        return unusedSince.withLock { since in
            let before = since[application.key] ?? [:]
            let after = Dictionary(uniqueKeysWithValues: unused.map { ($0, before[$0] ?? moment) })
            since[application.key] = after.isEmpty ? nil : after
            return after.mapValues { moment - $0 }
        }
    }

    private func wanted(_ application: Application, _ seen: ApplicationObserved) -> Set<String> {
        Set(application.spec.stages.flatMap { stage in stage.variants.compactMap { VariantChoice($0, stage: "", given: seen).servable } })
    }

    private func carryOut(_ plan: ApplicationPlan, of application: Application) async throws -> Verdict {
        do {
            for step in plan.steps { try await perform(step, of: application) }
            return plan.verdict
        } catch let error where !Task.isCancelled {
            return .failing(message: "\(error)")
        }
    }

    private func perform(_ step: ApplicationPlan.Step, of application: Application) async throws {
        switch step {
        case .create(let servable):
            do { _ = try await client.create(servable) } catch KubeError.alreadyExists {}  // another application was faster
        case .setOwners(let key, let owners, let resourceVersion):
            let list = try JSONValue.decode(json: owners.json())
            _ = try await client.mergePatch(
                Servable.self, key, ["metadata": ["resourceVersion": .string(resourceVersion), "ownerReferences": list]])
        case .delete(let key, let uid, let resourceVersion):
            _ = try await client.delete(Servable.kind, key, uid: uid, resourceVersion: resourceVersion)
        case .grant(let grant):
            _ = try await client.apply(grant.role)
            _ = try await client.apply(grant.binding)
        case .withdrawGrant:
            _ = try await client.delete(RoleBinding.kind, KafkaGrant.key(application.key))
            _ = try await client.delete(Role.kind, KafkaGrant.key(application.key))
        }
    }
}
