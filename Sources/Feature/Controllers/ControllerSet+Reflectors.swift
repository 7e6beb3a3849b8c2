// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import KubeClient
import KubeCore
import KubeRuntime
import Logging
import ServiceLifecycle

/// What is watched, and which change asks for a look at what.
extension ControllerSet {
    var reflectors: [any ServiceLifecycle.Service] { ours + theirs + versioned }

    private var ours: [any ServiceLifecycle.Service] {
        let (stores, queues) = (self.stores, self.queues)
        return [
            reflector(
                stores.models,
                [
                    Trigger<Model>.itself().feeding(queues.models),
                    Trigger<Model>.mapped { stores.applications(in: $0.key.namespace, naming: $0.metadata.name) }
                        .feeding(queues.applications),
                ]),
            versionReflector,
            reflector(
                stores.runtimes,
                [
                    Trigger<Runtime>.itself().feeding(queues.runtimes),
                    Trigger<Runtime>.mapped(where: .generationChanged) { stores.models(on: $0.metadata.name) }.feeding(queues.models),
                ]),
            reflector(
                stores.servables,
                [
                    Trigger<Servable>.itself().feeding(queues.servables),
                    Trigger<Servable>.mapped { stores.applications(using: $0) }.feeding(queues.applications),
                ]),
            reflector(stores.applications, [Trigger<Application>.itself().feeding(queues.applications)]),
            reflector(
                stores.configurations,
                [
                    Trigger<DeploymentConfiguration>.mapped { stores.servables(configuredBy: $0.key) }.feeding(queues.servables)
                ]),
        ]
    }

    private var versionReflector: Reflector<ModelVersion> {
        let (stores, queues) = (self.stores, self.queues)
        return reflector(
            stores.versions,
            [
                Trigger<ModelVersion>.itself().feeding(queues.versions),
                Trigger<ModelVersion>.owner(ofKind: Model.kind).feeding(queues.models),
                Trigger<ModelVersion>.mapped { stores.servables(running: $0.key) }.feeding(queues.servables),
                Trigger<ModelVersion>.mapped { stores.applications(in: $0.key.namespace, naming: $0.spec.model) }
                    .feeding(queues.applications),
            ])
    }

    private var theirs: [any ServiceLifecycle.Service] {
        let (stores, queues) = (self.stores, self.queues)
        let gatewayKey = GatewayDesired.key(settings)
        let managed = "\(Labels.managedBy)=\(Hydro.fieldManager)"
        return [
            reflector(stores.configMaps, [Trigger<ConfigMapMark>.mapped { stores.models(from: $0.key) }.feeding(queues.models)]),
            reflector(
                stores.deployments, labels: managed,
                [
                    Trigger<Deployment>.owner(ofKind: Servable.kind).feeding(queues.servables),
                    Trigger<Deployment>.mapped { $0.key == gatewayKey ? [gatewayKey] : [] }.feeding(queues.gateway),
                ]),
            reflector(
                stores.services, labels: managed,
                [
                    Trigger<KubeCore.Service>.owner(ofKind: Servable.kind).feeding(queues.servables),
                    Trigger<KubeCore.Service>.mapped { $0.key == gatewayKey ? [gatewayKey] : [] }.feeding(queues.gateway),
                ]),
            reflector(
                stores.pods, labels: Labels.servable,
                [
                    Trigger<Pod>.mapped { pod in
                        pod.metadata.labels[Labels.servable].map { [ObjectKey(pod.key.namespace, $0)] } ?? []
                    }.feeding(queues.servables)
                ]),
        ]
    }

    /// Kinds that servers serve in different versions, or not at all.
    private var versioned: [any ServiceLifecycle.Service] {
        let managed = "\(Labels.managedBy)=\(Hydro.fieldManager)"
        var reflectors: [any ServiceLifecycle.Service] = []
        if let kind = features.autoscaler {
            let listener = Trigger<HorizontalPodAutoscaler>.owner(ofKind: Servable.kind).feeding(queues.servables)
            reflectors.append(reflector(stores.autoscalers, labels: managed, kind: kind, [listener]))
        }
        if let kind = features.disruptionBudget {
            let listener = Trigger<PodDisruptionBudget>.owner(ofKind: Servable.kind).feeding(queues.servables)
            reflectors.append(reflector(stores.budgets, labels: managed, kind: kind, [listener]))
        }
        return reflectors
    }

    private func reflector<Object: KubeResource>(
        _ store: Store<Object>, labels: String? = nil, kind: ResourceKind = Object.kind,
        _ listeners: [@Sendable (StoreChange<Object>) -> Void]
    ) -> Reflector<Object> {
        Reflector(
            client: client, kind: kind, namespaces: namespaces, options: ListOptions(labels: labels), store: store, logger: logger,
            listeners: listeners)
    }

    /// Hydro's own namespace is always among those that are looked after: its Runtimes and its gateway live there.
    private var namespaces: [String] {
        settings.watchedNamespaces.isEmpty ? [] : Array(Set(settings.watchedNamespaces + [settings.namespace])).sorted()
    }
}
