// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import KubeCore
package import KubeRuntime

/// What to do for a servable: its objects, kept as they should be.
package struct ServablePlan: Sendable {
    package enum Step: Equatable, Sendable {
        case applyDeployment(Deployment)
        case applyService(Service)
        case applyAutoscaler(HorizontalPodAutoscaler)
        case applyBudget(PodDisruptionBudget)
        case deleteAutoscaler(ObjectKey)
    }

    package private(set) var steps: [Step] = []
    package private(set) var verdict: Verdict
    package private(set) var standing: Standing
    package private(set) var status: Servable.Status

    package init(for servable: Servable, given seen: ServableObserved, settings: OperatorSettings, features: ServerFeatures) {
        status = servable.status
        if let obstacle = Self.obstacle(servable, seen) {
            standing = .stalled(reason: obstacle.reason, message: obstacle.message)
            verdict = .waiting(reason: obstacle.reason, retry: .seconds(60))
            // What runs goes on running: pods need neither the version's object nor its deployment configuration.
            status.readyReplicas = seen.deployment?.status.readyReplicas ?? 0
            status.replicas = seen.deployment?.status.replicas ?? 0
            return
        }
        guard let version = seen.version, let runtime = version.spec.runtime, let image = version.status.image else {
            standing = .working(reason: "VersionNotReleased", message: "version \"\(servable.spec.modelVersion)\" is not released yet")
            verdict = .waiting(reason: "VersionNotReleased", retry: .seconds(60))
            return
        }
        let configuration = (seen.configuration ?? nil)?.spec
        let desired = ServableDesired(
            of: servable, version: version, image: image.reference, runtime: runtime, configuration: configuration, settings: settings,
            features: features)
        steps = Self.steps(desired, seen, features)
        status = Self.status(of: servable, version: version, image: settings.pulled(image.reference), runtime: runtime, seen)
        (standing, verdict) = Self.outlook(servable, configuration, seen, isApplying: !steps.isEmpty)
    }

    private static func obstacle(_ servable: Servable, _ seen: ServableObserved) -> (reason: String, message: String)? {
        guard let version = seen.version else {
            return ("VersionMissing", "wants the ModelVersion \"\(servable.spec.modelVersion)\", found none")
        }
        if version.spec.source.kind == .external {
            return ("External", "version \"\(version.metadata.name)\" runs elsewhere and cannot be served here")
        }
        if version.status.phase == .failed {
            return ("VersionFailed", version.status.failure?.message ?? "the version failed")
        }
        if let asked = seen.configuration, asked == nil {
            let name = servable.spec.deploymentConfiguration ?? ""
            return ("ConfigurationMissing", "wants the DeploymentConfiguration \"\(name)\", found none")
        }
        return nil
    }

    private static func steps(_ desired: ServableDesired, _ seen: ServableObserved, _ features: ServerFeatures) -> [Step] {
        var steps: [Step] = []
        if Desired.drift(wanted: desired.service, found: seen.service) != nil { steps.append(.applyService(desired.service)) }
        if Desired.drift(wanted: desired.deployment, found: seen.deployment) != nil { steps.append(.applyDeployment(desired.deployment)) }
        if features.autoscaler != nil {
            if let autoscaler = desired.autoscaler {
                if Desired.drift(wanted: autoscaler, found: seen.autoscaler) != nil { steps.append(.applyAutoscaler(autoscaler)) }
            } else if let extra = seen.autoscaler {
                steps.append(.deleteAutoscaler(extra.key))
            }
        }
        if features.disruptionBudget != nil, Desired.drift(wanted: desired.budget, found: seen.budget) != nil {
            steps.append(.applyBudget(desired.budget))
        }
        return steps
    }

    private static func status(
        of servable: Servable, version: ModelVersion, image: String, runtime: ResolvedRuntime, _ seen: ServableObserved
    ) -> Servable.Status {
        var status = servable.status
        status.replicas = seen.deployment?.status.replicas ?? 0
        status.readyReplicas = seen.deployment?.status.readyReplicas ?? 0
        status.selector = ServableDesired.selector(servable).map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        status.service = servable.metadata.name
        status.image = image
        status.protocol = runtime.protocol
        status.port = runtime.port
        status.model = version.spec.model
        status.version = version.spec.version
        status.signature = version.spec.signature
        return status
    }

    private static func outlook(
        _ servable: Servable, _ configuration: DeploymentConfiguration.Spec?, _ seen: ServableObserved, isApplying: Bool
    ) -> (Standing, Verdict) {
        let wanted = seen.deployment?.spec.replicas ?? ServableDesired.replicas(of: servable, configuration)
        let ready = seen.deployment?.status.readyReplicas ?? 0
        if wanted == 0 {
            return (.stalled(reason: "ScaledToZero", message: "no replicas are asked for"), .settled)
        }
        let isSeen = seen.deployment.map { $0.status.observedGeneration >= $0.metadata.generation } ?? false
        let enough = ServableDesired.enough(of: wanted)
        if ready >= enough, isSeen || isApplying {
            return (
                .ready(message: "\(ready) of \(wanted) pods are ready"),
                isApplying ? .waiting(reason: "Applying", retry: .seconds(10)) : .settled
            )
        }
        if let trouble = PodTrouble.of(deployment: seen.deployment, pods: seen.pods) {
            return (
                .working(reason: trouble.reason.rawValue, message: trouble.message),
                .waiting(reason: trouble.reason.rawValue, retry: .seconds(30))
            )
        }
        return (
            .working(reason: "Starting", message: "\(ready) of \(wanted) pods are ready"), .waiting(reason: "Starting", retry: .seconds(30))
        )
    }
}
