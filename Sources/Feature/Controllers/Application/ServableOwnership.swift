// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import KubeCore

/// Which servables an application makes, takes a share in, and lets go.
///
/// A servable that the operator made has each application that uses it among its owners; the last to let go deletes it.
/// One that a user made belongs to nobody and stays.
struct ServableOwnership {
    private let application: Application
    private let wanted: Set<String>
    /// In the route that is served after this pass, or wanted in the next.
    private let staying: Set<String>
    /// The same, and in the route that is served until this pass.
    private let inUse: Set<String>
    private let seen: ApplicationObserved
    private let lingering: Duration

    init(
        of application: Application, route: ActiveRoute?, wanted: Set<String>, given seen: ApplicationObserved, settings: OperatorSettings
    ) {
        self.application = application
        self.wanted = wanted
        staying = wanted.union(route?.servables ?? [])
        inUse = staying.union(application.status.activeRoute?.servables ?? [])
        self.seen = seen
        lingering = settings.lingering
    }

    func steps(for choices: some Sequence<VariantChoice>) -> [ApplicationPlan.Step] {
        var steps: [ApplicationPlan.Step] = []
        var handled: Set<String> = []
        for choice in choices {
            guard let name = choice.servable, wanted.contains(name), handled.insert(name).inserted else { continue }
            if let servable = seen.servables[name] {
                if isOurs(servable), !isOwned(servable) {
                    steps.append(
                        .setOwners(
                            servable.key, servable.metadata.ownerReferences + [application.asOwner],
                            resourceVersion: servable.metadata.resourceVersion))
                }
            } else if let version = choice.version {
                steps.append(.create(servable(name, version, choice.variant.deploymentConfiguration)))
            }
        }
        return steps + unused.filter { (seen.unusedFor[$0.metadata.name] ?? .zero) >= lingering }.map(release)
    }

    /// When the next servable may be let go; nil when none waits for it.
    var nextRelease: Duration? {
        leaving.map { servable in
            let name = servable.metadata.name
            // One that only this pass takes out of the route has not begun to linger.
            return inUse.contains(name) ? .seconds(1) : lingering - (seen.unusedFor[name] ?? .zero)
        }.filter { $0 > .zero }.min()
    }

    /// The servables that this application owns and neither serves nor wants.
    var unused: [Servable] { leaving.filter { !inUse.contains($0.metadata.name) } }

    /// The servables that this application owns, does not want, and will not serve after this pass.
    private var leaving: [Servable] {
        seen.servables.values.filter { isOurs($0) && isOwned($0) && !staying.contains($0.metadata.name) }.sorted { $0.key < $1.key }
    }

    private func isOurs(_ servable: Servable) -> Bool { servable.metadata.labels[Labels.managedBy] == Hydro.fieldManager }

    private func isOwned(_ servable: Servable) -> Bool {
        servable.metadata.ownerReferences.contains { $0.uid == application.metadata.uid }
    }

    private func release(_ servable: Servable) -> ApplicationPlan.Step {
        let others = servable.metadata.ownerReferences.filter { $0.uid != application.metadata.uid }
        let version = servable.metadata.resourceVersion
        return others.isEmpty
            ? .delete(servable.key, uid: servable.metadata.uid, resourceVersion: version)
            : .setOwners(servable.key, others, resourceVersion: version)
    }

    private func servable(_ name: String, _ version: ModelVersion, _ configuration: String?) -> Servable {
        var servable = Servable()
        servable.metadata = ObjectMeta(
            ObjectKey(application.key.namespace, name), labels: Labels.owned(name: version.spec.model, component: "servable"),
            owners: [application.asOwner])
        servable.metadata.labels[Labels.model] = version.spec.model
        servable.metadata.labels[Labels.modelVersion] = String(version.spec.version)
        servable.spec.modelVersion = version.metadata.name
        servable.spec.deploymentConfiguration = configuration
        return servable
    }
}
