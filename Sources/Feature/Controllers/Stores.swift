// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import JSON
package import KubeCore
package import KubeRuntime

/// A ConfigMap without its content: enough to know that it changed.
package struct ConfigMapMark: KubeResource {
    package static let kind = ConfigMap.kind
    package var metadata = ObjectMeta()
    package init() {}
    package static let fields: JSONFields<ConfigMapMark> = [.init("metadata", \.metadata)]
}

/// What the operator knows of the cluster, kept current by one reflector each.
package struct Stores: Sendable {
    package static let byModel = "model"
    package static let byServable = "servable"
    package static let byNamespace = "namespace"

    package let models = Store<Model>()
    package let versions = Store<ModelVersion>(indices: [
        StoreIndex(byModel) { ["\($0.key.namespace)/\($0.spec.model)"] }
    ])
    package let runtimes = Store<Runtime>()
    package let servables = Store<Servable>(indices: [StoreIndex(byNamespace) { [$0.key.namespace] }])
    package let applications = Store<Application>(indices: [StoreIndex(byNamespace) { [$0.key.namespace] }])
    package let configurations = Store<DeploymentConfiguration>()
    package let configMaps = Store<ConfigMapMark>()
    package let deployments = Store<Deployment>()
    package let services = Store<Service>()
    package let autoscalers = Store<HorizontalPodAutoscaler>()
    package let budgets = Store<PodDisruptionBudget>()
    package let pods = Store<Pod>(indices: [
        StoreIndex(byServable) { pod in
            pod.metadata.labels[Labels.servable].map { ["\(pod.key.namespace)/\($0)"] } ?? []
        }
    ])

    package init() {}

    /// A model's versions, lowest number first.
    package func versions(of model: ObjectKey) -> [ModelVersion] {
        versions.indexed(Self.byModel, model.description).sorted { $0.spec.version < $1.spec.version }
    }
}

/// Whom a change concerns.
extension Stores {
    /// Models that get their files from a ConfigMap.
    func models(from configMap: ObjectKey) -> [ObjectKey] {
        models.all.filter { $0.key.namespace == configMap.namespace && $0.spec.source.configMap?.name == configMap.name }.map(\.key)
    }

    /// Models on a Runtime of that name, in whatever namespace: Hydro's own Runtimes serve all.
    func models(on runtime: String) -> [ObjectKey] {
        models.all.filter { $0.spec.runtime?.name == runtime }.map(\.key)
    }

    func servables(running version: ObjectKey) -> [ObjectKey] {
        servables.indexed(Self.byNamespace, version.namespace).filter { $0.spec.modelVersion == version.name }.map(\.key)
    }

    func servables(configuredBy configuration: ObjectKey) -> [ObjectKey] {
        servables.indexed(Self.byNamespace, configuration.namespace)
            .filter { $0.spec.deploymentConfiguration == configuration.name }.map(\.key)
    }

    func applications(in namespace: String, naming model: String) -> [ObjectKey] {
        applications.indexed(Self.byNamespace, namespace)
            .filter { $0.spec.stages.contains { $0.variants.contains { $0.model == model } } }.map(\.key)
    }

    /// Applications that own the servable, or run on it according to their status.
    func applications(using servable: Servable) -> [ObjectKey] {
        let owners = Set(servable.metadata.ownerReferences.map(\.uid))
        return applications.indexed(Self.byNamespace, servable.key.namespace).filter { application in
            owners.contains(application.metadata.uid)
                || application.status.stages.contains { $0.variants.contains { $0.servable == servable.metadata.name } }
        }.map(\.key)
    }
}
