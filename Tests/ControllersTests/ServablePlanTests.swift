// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import JSON
import KubeCore
import KubeRuntime
import Testing

@testable import Controllers

struct ServablePlanTests {
    private let servable: Servable = {
        var servable = Servable()
        servable.metadata = ObjectMeta(ObjectKey("default", "iris-1"))
        servable.metadata.uid = "uid"
        servable.spec.modelVersion = "iris-1"
        return servable
    }()

    private func seen(_ configuration: DeploymentConfiguration? = nil) -> ServableObserved {
        var seen = ServableObserved()
        seen.version = Make.version(1)
        if let configuration { seen.configuration = .some(configuration) }
        return seen
    }

    private func plan(_ servable: Servable, _ seen: ServableObserved) -> ServablePlan {
        ServablePlan(for: servable, given: seen, settings: Make.settings, features: Make.features)
    }

    /// The world after the plan was carried out, with so many ready pods.
    private func settled(_ servable: Servable, _ before: ServableObserved, ready: Int) -> ServableObserved {
        var after = before
        for step in plan(servable, before).steps {
            switch step {
            case .applyDeployment(var deployment):
                deployment.metadata.generation = 1
                deployment.status.observedGeneration = 1
                deployment.status.replicas = ready
                deployment.status.readyReplicas = ready
                after.deployment = deployment
            case .applyService(let service): after.service = service
            case .applyAutoscaler(let autoscaler): after.autoscaler = autoscaler
            case .applyBudget(let budget): after.budget = budget
            case .deleteAutoscaler: after.autoscaler = nil
            }
        }
        return after
    }

    @Test func `a released version gets all of its objects`() {
        #expect(plan(servable, seen()).steps.count == 3)
    }

    @Test func `what is as it should be is not written again`() {
        let plan = plan(servable, settled(servable, seen(), ready: 1))
        #expect(plan.steps.isEmpty)
        #expect(plan.verdict == .settled)
        #expect(plan.standing == .ready(message: "1 of 1 pods are ready"))
    }

    @Test func `what somebody changed by hand is applied again`() {
        var world = settled(servable, seen(), ready: 1)
        world.deployment?.spec.template.spec.containers[0].image = "other"
        world.service?.spec.selector = [:]
        #expect(plan(servable, world).steps.count == 2)
    }

    @Test func `fields of others and defaults of the server are no drift`() {
        var world = settled(servable, seen(), ready: 1)
        world.deployment?.metadata.annotations["deployment.kubernetes.io/revision"] = "1"
        world.deployment?.spec.template.spec.containers[0].env.append(contentsOf: [])
        world.service?.metadata.labels["team"] = "a"
        #expect(plan(servable, world).steps.isEmpty)
    }

    @Test func `a field that is no longer wanted is taken back`() {
        var configuration = DeploymentConfiguration()
        configuration.spec.pod = .init()
        configuration.spec.pod?.nodeSelector = ["gpu": "yes"]
        var asking = servable
        asking.spec.deploymentConfiguration = "gpu"
        var world = settled(asking, seen(configuration), ready: 1)
        #expect(plan(asking, world).steps.isEmpty)
        configuration.spec.pod = nil
        world.configuration = .some(configuration)
        #expect(plan(asking, world).steps.count == 1)
    }

    @Test func `an autoscaler decides the replicas, and goes with its configuration`() {
        var configuration = DeploymentConfiguration()
        configuration.spec.hpa = .init()
        configuration.spec.hpa?.minReplicas = 2
        configuration.spec.hpa?.maxReplicas = 5
        var asking = servable
        asking.spec.deploymentConfiguration = "auto"
        var world = settled(asking, seen(configuration), ready: 2)
        #expect(world.deployment?.spec.replicas == nil)
        #expect(world.autoscaler?.spec.maxReplicas == 5)
        configuration.spec.hpa = nil
        world.configuration = .some(configuration)
        #expect(plan(asking, world).steps.contains(.deleteAutoscaler(ObjectKey("default", "iris-1"))))
    }

    @Test func `a missing configuration stalls and changes nothing`() {
        var asking = servable
        asking.spec.deploymentConfiguration = "gpu"
        var world = settled(servable, seen(), ready: 1)
        world.configuration = .some(nil)
        let plan = plan(asking, world)
        #expect(plan.steps.isEmpty)
        #expect(
            plan.standing == .stalled(reason: "ConfigurationMissing", message: "wants the DeploymentConfiguration \"gpu\", found none"))
        #expect(plan.verdict == .waiting(reason: "ConfigurationMissing", retry: .seconds(60)))
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 3), (4, 3), (8, 6)])
    func `enough pods are all but a quarter`(replicas: Int, enough: Int) {
        #expect(ServableDesired.enough(of: replicas) == enough)
    }

    @Test func `pods are pulled by digest under the name that they know`() {
        let world = settled(servable, seen(), ready: 0)
        #expect(world.deployment?.spec.template.spec.containers[0].image == "pull.test:5000/default/iris@sha256:image-sha256:one")
    }

    @Test func `a gRPC probe only connects where kubelets cannot ask`() {
        var runtime = Make.runtime()
        runtime.probes = RuntimeProbes()
        runtime.probes?.readiness = RuntimeProbe()
        runtime.probes?.readiness?.grpc = RuntimeProbe.GRPC()
        runtime.probes?.readiness?.grpc?.port = 9091
        #expect(ProbeChoice(runtime: runtime, model: "iris", hasGRPCProbes: true).readiness.grpc?.port == 9091)
        let old = ProbeChoice(runtime: runtime, model: "iris", hasGRPCProbes: false)
        #expect(old.readiness.grpc == nil)
        #expect(old.readiness.tcpSocket?.port == .int(9091))
    }

    @Test(arguments: [
        (RuntimeProtocol.hydrosphere, "/healthz", "/healthz" as String?), (.openInference, "/v2/health/ready", "/v2/health/live"),
        (.tensorflow, "/v1/models/iris/metadata", nil),
    ])
    func `a health port is asked as its protocol's servers answer`(spoken: RuntimeProtocol, ready: String, live: String?) {
        var runtime = Make.runtime()
        runtime.protocol = spoken
        runtime.healthPort = 8080
        let choice = ProbeChoice(runtime: runtime, model: "iris", hasGRPCProbes: true)
        #expect(choice.startup.httpGet == Probe.HTTPGet(path: ready, port: 8080))
        #expect(choice.readiness.httpGet == Probe.HTTPGet(path: ready, port: 8080))
        #expect(choice.liveness.httpGet == live.map { Probe.HTTPGet(path: $0, port: 8080) })
        #expect(choice.liveness.tcpSocket == (live == nil ? Probe.TCPSocket(port: 9091) : nil))
    }

    @Test func `a container knows its model, and other variables may refer to what it knows`() throws {
        var world = seen(DeploymentConfiguration())
        world.version?.spec.runtime?.healthPort = 9092
        world.version?.spec.runtime?.env = [
            EnvVar("MLSERVER_MODEL_NAME", "$(MODEL_NAME)"), EnvVar("LEVEL", "info"), EnvVar("APP_PORT", "1"),
        ]
        var configuration = DeploymentConfiguration()
        configuration.spec.container = .init()
        configuration.spec.container?.env = ["LEVEL": "debug", "MODEL_NAME": "other"]
        world.configuration = .some(configuration)
        var asking = servable
        asking.spec.deploymentConfiguration = "loud"
        let container = try #require(settled(asking, world, ready: 0).deployment?.spec.template.spec.containers.first)
        #expect(
            container.env == [
                EnvVar("APP_PORT", "9091"), EnvVar("HEALTH_PORT", "9092"), EnvVar("MODEL_NAME", "iris"), EnvVar("MODEL_VERSION", "1"),
                EnvVar("MLSERVER_MODEL_NAME", "$(MODEL_NAME)"), EnvVar("LEVEL", "debug"),
            ])
    }

    @Test func `the Deployment satisfies the restricted standard`() throws {
        let pod = try #require(settled(servable, seen(), ready: 0).deployment?.spec.template.spec)
        #expect(pod.securityContext?.runAsNonRoot == true)
        #expect(pod.containers[0].securityContext == .restricted)
        #expect(pod.automountServiceAccountToken == false)
    }
}

struct PodTroubleTests {
    private func pod(_ change: (inout Pod.ContainerStatus) -> Void) -> Pod {
        var pod = Pod()
        pod.metadata = ObjectMeta(ObjectKey("default", "p"))
        var status = Pod.ContainerStatus()
        change(&status)
        pod.status.containerStatuses = [status]
        return pod
    }

    @Test func `an image that cannot be pulled is named`() {
        let pod = pod {
            $0.state.waiting = Pod.Waiting()
            $0.state.waiting?.reason = "ImagePullBackOff"
            $0.state.waiting?.message = "not found"
        }
        #expect(PodTrouble.of(deployment: nil, pods: [pod]) == PodTrouble(.imagePullFailed, "pod p: not found"))
    }

    @Test func `a crash tells the last words`() {
        let pod = pod {
            $0.restartCount = 3
            $0.lastState.terminated = Pod.Terminated()
            $0.lastState.terminated?.exitCode = 1
            $0.lastState.terminated?.message = "ImportError: no module named x"
        }
        let trouble = PodTrouble.of(deployment: nil, pods: [pod])
        #expect(trouble?.reason == .crashing)
        #expect(trouble?.message.hasSuffix("ImportError: no module named x") == true)
    }

    @Test func `running out of memory is not called a crash`() {
        let pod = pod {
            $0.restartCount = 1
            $0.lastState.terminated = Pod.Terminated()
            $0.lastState.terminated?.reason = "OOMKilled"
        }
        #expect(PodTrouble.of(deployment: nil, pods: [pod])?.reason == .outOfMemory)
    }

    @Test func `pods that run and are never ready fail their probe`() {
        var deployment = Deployment()
        var progress = DeploymentCondition()
        progress.type = "Progressing"
        progress.status = "False"
        progress.reason = "ProgressDeadlineExceeded"
        deployment.status.conditions = [progress]
        #expect(PodTrouble.of(deployment: deployment, pods: [pod { _ in }])?.reason == .probeFailing)
        deployment.status.conditions[0].status = "True"
        #expect(PodTrouble.of(deployment: deployment, pods: [pod { _ in }]) == nil)
    }

    @Test func `a ready container that restarted once is no trouble`() {
        let pod = pod {
            $0.ready = true
            $0.restartCount = 1
            $0.lastState.terminated = Pod.Terminated()
        }
        #expect(PodTrouble.of(deployment: nil, pods: [pod]) == nil)
    }
}
