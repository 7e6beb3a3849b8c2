// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
import JSON
package import KubeCore

/// The objects that run a servable, made from its version and its deployment configuration.
package struct ServableDesired: Sendable, Equatable {
    package static let container = "model"
    package static let portName = "grpc"
    /// Long enough for gateways to hear that the pod goes, before it stops to accept.
    static let lastServingSeconds = 5

    package var deployment: Deployment
    package var service: Service
    package var autoscaler: HorizontalPodAutoscaler?
    package var budget: PodDisruptionBudget

    package init(
        of servable: Servable, version: ModelVersion, image: String, runtime: ResolvedRuntime,
        configuration: DeploymentConfiguration.Spec?, settings: OperatorSettings, features: ServerFeatures
    ) {
        let parts = Parts(
            servable: servable, version: version, image: image, runtime: runtime, configuration: configuration ?? .init(),
            settings: settings, features: features)
        deployment = Desired.stamped(parts.deployment)
        service = Desired.stamped(parts.service)
        autoscaler = parts.autoscaler.map(Desired.stamped)
        budget = Desired.stamped(parts.budget)
    }

    /// How many pods are asked for; the least of them where an autoscaler decides.
    package static func replicas(of servable: Servable, _ configuration: DeploymentConfiguration.Spec?) -> Int {
        configuration?.hpa?.minReplicas ?? servable.spec.replicas ?? configuration?.deployment?.replicaCount ?? 1
    }

    /// How many ready pods are enough to send requests to: all but a quarter, and never none.
    package static func enough(of replicas: Int) -> Int { max(1, replicas - replicas / 4) }

    package static func selector(_ servable: Servable) -> [String: String] { [Labels.servable: servable.metadata.name] }
}

private struct Parts {
    let servable: Servable
    let version: ModelVersion
    let image: String
    let runtime: ResolvedRuntime
    let configuration: DeploymentConfiguration.Spec
    let settings: OperatorSettings
    let features: ServerFeatures

    var selector: [String: String] { ServableDesired.selector(servable) }

    var metadata: ObjectMeta {
        var labels = Labels.owned(name: version.spec.model, component: "servable")
        labels[Labels.servable] = servable.metadata.name
        labels[Labels.model] = version.spec.model
        labels[Labels.modelVersion] = String(version.spec.version)
        return ObjectMeta(servable.key, labels: labels, owners: [servable.asController])
    }

    var deployment: Deployment {
        var deployment = Deployment()
        deployment.metadata = metadata
        if configuration.hpa == nil { deployment.spec.replicas = ServableDesired.replicas(of: servable, configuration) }
        deployment.spec.selector = LabelSelector(selector)
        deployment.spec.strategy = Deployment.Strategy(maxSurge: .int(1), maxUnavailable: .int(0))
        deployment.spec.revisionHistoryLimit = 2
        deployment.spec.progressDeadlineSeconds = 600
        deployment.spec.template.metadata.labels = metadata.labels
        deployment.spec.template.spec = pod
        return deployment
    }

    var pod: PodSpec {
        var pod = PodSpec()
        pod.automountServiceAccountToken = false
        pod.enableServiceLinks = false
        pod.containers = [container]
        pod.volumes = [Volume(emptyDir: "tmp")]
        if let secret = settings.registrySecret { pod.imagePullSecrets = [LocalRef(secret)] }
        pod.nodeSelector = configuration.pod?.nodeSelector ?? [:]
        pod.affinity = configuration.pod?.affinity
        pod.tolerations = configuration.pod?.tolerations ?? []
        pod.topologySpreadConstraints = TopologySpread.everywhere(selector)
        pod.securityContext = .restricted
        pod.terminationGracePeriodSeconds = (runtime.terminationGracePeriodSeconds ?? 30) + ServableDesired.lastServingSeconds
        return pod
    }

    var container: Container {
        var container = Container()
        container.name = ServableDesired.container
        container.image = settings.pulled(image)
        // By digest: what is there is what is wanted.
        container.imagePullPolicy = "IfNotPresent"
        container.env = environment
        container.ports = [ContainerPort(ServableDesired.portName, runtime.port)]
        if let health = runtime.healthPort, health != runtime.port { container.ports.append(ContainerPort("health", health)) }
        container.resources = configuration.container?.resources ?? runtime.resources
        container.volumeMounts = [VolumeMount("tmp", at: "/tmp")]
        let probes = ProbeChoice(runtime: runtime, model: version.spec.model, hasGRPCProbes: features.hasGRPCProbes)
        container.startupProbe = probes.startup
        container.readinessProbe = probes.readiness
        container.livenessProbe = probes.liveness
        var handler = Lifecycle.Handler()
        handler.exec = Lifecycle.Exec()
        handler.exec?.command = ["sleep", String(ServableDesired.lastServingSeconds)]
        container.lifecycle = Lifecycle()
        container.lifecycle?.preStop = handler
        container.securityContext = .restricted
        container.terminationMessagePolicy = "FallbackToLogsOnError"
        return container
    }

    /// Ours, which nothing overrides and the others may refer to as `$(MODEL_NAME)`; then the runtime's, and the configuration's over them.
    var environment: [EnvVar] {
        var own = [EnvVar("APP_PORT", String(runtime.port))]
        if let health = runtime.healthPort { own.append(EnvVar("HEALTH_PORT", String(health))) }
        own += [EnvVar("MODEL_NAME", version.spec.model), EnvVar("MODEL_VERSION", String(version.spec.version))]
        let taken = Set(own.map(\.name))
        let configured = (configuration.container?.env ?? [:]).filter { !taken.contains($0.key) }
        let kept = runtime.env.filter { !taken.contains($0.name) && configured[$0.name] == nil }
        return own + kept + configured.sorted { $0.key < $1.key }.map { EnvVar($0.key, $0.value) }
    }

    var service: Service {
        var service = Service()
        service.metadata = metadata
        service.spec.clusterIP = "None"
        service.spec.selector = selector
        service.spec.ports = [ServicePort(ServableDesired.portName, runtime.port)]
        return service
    }

    var autoscaler: HorizontalPodAutoscaler? {
        guard let hpa = configuration.hpa else { return nil }
        var autoscaler = HorizontalPodAutoscaler()
        autoscaler.metadata = metadata
        autoscaler.spec.scaleTargetRef.name = servable.metadata.name
        autoscaler.spec.minReplicas = hpa.minReplicas ?? 1
        autoscaler.spec.maxReplicas = max(hpa.maxReplicas, hpa.minReplicas ?? 1)
        autoscaler.spec.metrics = [.init(resource: "cpu", utilization: hpa.cpuUtilization ?? 80)]
        return autoscaler
    }

    var budget: PodDisruptionBudget {
        var budget = PodDisruptionBudget()
        budget.metadata = metadata
        budget.spec.maxUnavailable = .int(1)
        budget.spec.selector = LabelSelector(selector)
        return budget
    }
}
