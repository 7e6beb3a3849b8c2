// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
package import KubeCore

/// The objects that run the gateway: one for the installation, in Hydro's own namespace.
package struct GatewayDesired: Sendable, Equatable {
    package static let name = "hydro-gateway"
    package static let httpPort = 9090
    package static let grpcPort = 9091
    package static let adminPort = 9092
    /// Answers in flight are finished within this, before the pod goes.
    static let graceSeconds = 45

    package var account: ServiceAccount
    package var role: ClusterRole
    package var binding: ClusterRoleBinding
    package var service: Service
    package var budget: PodDisruptionBudget
    package var deployment: Deployment
    /// Where the settings ask for one.
    package var autoscaler: HorizontalPodAutoscaler?

    /// - Parameter owner: the operator's own Deployment, with which the gateway goes; nil where the operator runs outside of the cluster.
    package init(_ settings: OperatorSettings, owner: OwnerReference?) {
        let parts = GatewayParts(settings: settings, owner: owner)
        account = Desired.stamped(parts.account)
        role = Desired.stamped(parts.role)
        binding = Desired.stamped(parts.binding)
        service = Desired.stamped(parts.service)
        budget = Desired.stamped(parts.budget)
        deployment = Desired.stamped(parts.deployment)
        autoscaler = settings.gateway.isAutoscaled ? Desired.stamped(parts.autoscaler) : nil
    }

    package static func key(_ settings: OperatorSettings) -> ObjectKey { ObjectKey(settings.namespace, name) }

    /// Where callers in the cluster reach the gateway: HTTP, gRPC.
    package static func addresses(_ settings: OperatorSettings) -> (http: String, grpc: String) {
        let host = "\(name).\(settings.namespace).svc"
        return ("\(settings.gateway.tlsSecret == nil ? "http" : "https")://\(host):\(httpPort)", "\(host):\(grpcPort)")
    }
}

private struct GatewayParts {
    let settings: OperatorSettings
    let owner: OwnerReference?

    var labels: [String: String] { Labels.owned(name: "hydro", component: "gateway") }
    var selector: [String: String] { [Labels.name: "hydro", Labels.component: "gateway"] }

    var metadata: ObjectMeta {
        ObjectMeta(GatewayDesired.key(settings), labels: labels, owners: owner.map { [$0] } ?? [])
    }

    var clusterMetadata: ObjectMeta { ObjectMeta(ObjectKey("", GatewayDesired.name), labels: labels) }

    var account: ServiceAccount {
        var account = ServiceAccount()
        account.metadata = metadata
        return account
    }

    var role: ClusterRole {
        var role = ClusterRole()
        role.metadata = clusterMetadata
        let reading = ["get", "list", "watch"]
        role.rules = [
            PolicyRule([Hydro.group], ["applications", "servables"], reading),
            PolicyRule(["discovery.k8s.io"], ["endpointslices"], reading),
            // Whose a caller's token is.
            PolicyRule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
        ]
        return role
    }

    var binding: ClusterRoleBinding {
        var binding = ClusterRoleBinding()
        binding.metadata = clusterMetadata
        binding.roleRef = RoleRef(GatewayDesired.name)
        binding.subjects = [Subject(serviceAccount: GatewayDesired.key(settings))]
        return binding
    }

    var service: Service {
        var service = Service()
        service.metadata = metadata
        service.spec.type = settings.gateway.serviceType
        service.spec.selector = selector
        service.spec.ports = [ServicePort("http", GatewayDesired.httpPort), ServicePort("grpc", GatewayDesired.grpcPort)]
        return service
    }

    var budget: PodDisruptionBudget {
        var budget = PodDisruptionBudget()
        budget.metadata = metadata
        budget.spec.maxUnavailable = .int(1)
        budget.spec.selector = LabelSelector(selector)
        return budget
    }

    var deployment: Deployment {
        var deployment = Deployment()
        deployment.metadata = metadata
        // With an autoscaler the number is its own.
        deployment.spec.replicas = settings.gateway.isAutoscaled ? nil : settings.gateway.replicas
        deployment.spec.selector = LabelSelector(selector)
        deployment.spec.strategy = Deployment.Strategy(maxSurge: .int(1), maxUnavailable: .int(0))
        deployment.spec.revisionHistoryLimit = 2
        deployment.spec.template.metadata.labels = labels
        deployment.spec.template.spec = pod
        return deployment
    }

    var pod: PodSpec {
        var pod = PodSpec()
        pod.serviceAccountName = GatewayDesired.name
        pod.enableServiceLinks = false
        pod.containers = [container]
        pod.volumes = mounts.map(\.volume)
        if let secret = settings.registrySecret { pod.imagePullSecrets = [LocalRef(secret)] }
        pod.topologySpreadConstraints = TopologySpread.everywhere(selector)
        pod.securityContext = .restricted
        pod.terminationGracePeriodSeconds = GatewayDesired.graceSeconds
        return pod
    }

    var container: Container {
        var container = Container()
        container.name = "gateway"
        container.image = settings.gateway.image
        container.command = ["hydro-gateway"]
        container.args = args
        container.volumeMounts = mounts.map { volume, path in
            var mount = VolumeMount(volume.name, at: path)
            mount.readOnly = volume.emptyDir == nil ? true : nil
            return mount
        }
        container.ports = [
            ContainerPort("http", GatewayDesired.httpPort), ContainerPort("grpc", GatewayDesired.grpcPort),
            ContainerPort("admin", GatewayDesired.adminPort),
        ]
        container.resources = settings.gateway.resources
        container.readinessProbe = probe("/readyz", period: 2, failures: 2)
        container.livenessProbe = probe("/healthz", period: 10, failures: 6)
        container.securityContext = .restricted
        container.securityContext?.readOnlyRootFilesystem = true
        container.terminationMessagePolicy = "FallbackToLogsOnError"
        return container
    }

    private var args: [String] {
        var args: [String] = []
        if !settings.watchedNamespaces.isEmpty { args += ["--watch-namespaces", settings.watchedNamespaces.joined(separator: ",")] }
        let gateway = settings.gateway
        if gateway.tlsSecret != nil { args += ["--tls-certificate", "/etc/hydro/tls/tls.crt", "--tls-key", "/etc/hydro/tls/tls.key"] }
        if gateway.jwks != nil { args += ["--jwks", "/etc/hydro/jwks/jwks.json"] }
        if gateway.hasTap { args += ["--tap-socket", "/run/hydro/tap/tap.sock"] }
        if let accessLog = gateway.accessLog { args += ["--access-log", accessLog] }
        return args
    }

    /// What comes from elsewhere, and where it is seen. Whole volumes, never single files, so that what is replaced is seen at once.
    private var mounts: [(volume: Volume, path: String)] {
        var mounts: [(Volume, String)] = []
        if let secret = settings.gateway.tlsSecret { mounts.append((Volume("tls", secret: secret), "/etc/hydro/tls")) }
        switch settings.gateway.jwks {
        case .configMap(let name): mounts.append((Volume("jwks", configMap: name), "/etc/hydro/jwks"))
        case .secret(let name): mounts.append((Volume("jwks", secret: name), "/etc/hydro/jwks"))
        case nil: break
        }
        if settings.gateway.hasTap { mounts.append((Volume(emptyDir: "tap"), "/run/hydro/tap")) }
        return mounts
    }

    var autoscaler: HorizontalPodAutoscaler {
        var autoscaler = HorizontalPodAutoscaler()
        autoscaler.metadata = metadata
        autoscaler.spec.scaleTargetRef.name = GatewayDesired.name
        autoscaler.spec.minReplicas = settings.gateway.replicas
        autoscaler.spec.maxReplicas = settings.gateway.maxReplicas
        autoscaler.spec.metrics = [HorizontalPodAutoscaler.Metric(resource: "cpu", utilization: settings.gateway.targetCPU)]
        return autoscaler
    }

    private func probe(_ path: String, period: Int, failures: Int) -> Probe {
        var probe = Probe()
        probe.httpGet = Probe.HTTPGet(path: path, port: GatewayDesired.adminPort)
        probe.periodSeconds = period
        probe.timeoutSeconds = 3
        probe.failureThreshold = failures
        return probe
    }
}
