// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
package import HydroAPI
package import KubeCore
package import KubeRuntime

/// What to do for an application: the servables it needs, the route it serves, the servables it lets go.
///
/// A route is published only when all that answers in it is ready; until then the one before stays up.
package struct ApplicationPlan: Sendable {
    package enum Step: Equatable, Sendable {
        case create(Servable)
        /// Make these the servable's owners, if it still is as it was seen.
        case setOwners(ObjectKey, [OwnerReference], resourceVersion: String)
        case delete(ObjectKey, uid: String, resourceVersion: String)
        /// Let the gateway read the Secrets that Kafka entries name.
        case grant(KafkaGrant)
        case withdrawGrant
    }

    package private(set) var steps: [Step] = []
    package private(set) var verdict: Verdict
    package private(set) var standing: Standing
    package private(set) var conditions: [Condition] = []
    package private(set) var status: Application.Status

    package init(for application: Application, given seen: ApplicationObserved, settings: OperatorSettings) {
        status = application.status
        let problems = application.spec.problems()
        guard problems.isEmpty else {
            let message = problems.joined(separator: "; ")
            standing = .stalled(reason: "InvalidSpec", message: message)
            verdict = .stalled(reason: "InvalidSpec", message: message)
            return
        }
        let stages = application.spec.stages.enumerated().map { place, stage in
            stage.variants.map { VariantChoice($0, stage: application.spec.name(ofStage: place), given: seen) }
        }
        let composition = RouteComposition(application, stages, seen)
        status = composition.status(after: application.status, gatewayURL: seen.gatewayURL, gatewayGRPC: seen.gatewayGRPC)
        conditions = composition.conditions + [Self.kafka(of: application, status.activeRoute, seen)].compactMap(\.self)
        let wanted = composition.mayDeploy ? Set(stages.joined().compactMap(\.servable)) : []
        let ownership = ServableOwnership(of: application, route: status.activeRoute, wanted: wanted, given: seen, settings: settings)
        steps = ownership.steps(for: stages.joined()) + Self.granting(to: application, serving: status, seen, settings)
        standing = composition.standing
        verdict = composition.verdict
        if case .settled = verdict, let retry = ownership.nextRelease { verdict = .waiting(reason: "Lingering", retry: retry) }
    }

    /// Beside Ready, not in it: what is asked over HTTP and gRPC is answered whatever a broker does.
    private static func kafka(of application: Application, _ route: ActiveRoute?, _ seen: ApplicationObserved) -> Condition? {
        guard let route else {
            return application.spec.kafka.isEmpty ? nil : KafkaStanding.starting("no route has been published yet")
        }
        guard !route.kafka.isEmpty else { return nil }
        guard let standing = seen.kafka else {
            return application.status.conditions[ConditionType.kafkaReady]
                ?? KafkaStanding.starting("the gateway has not been asked yet")
        }
        return standing.condition(of: application.key, route.kafka)
    }

    /// For the entries that are asked for and those that are served from now on.
    private static func granting(
        to application: Application, serving status: Application.Status, _ seen: ApplicationObserved, _ settings: OperatorSettings
    ) -> [Step] {
        var served = application
        served.status = status
        guard let grant = KafkaGrant(served, settings: settings) else {
            return seen.grant.role == nil && seen.grant.binding == nil ? [] : [.withdrawGrant]
        }
        let isThere =
            Desired.drift(wanted: grant.role, found: seen.grant.role) == nil
            && Desired.drift(wanted: grant.binding, found: seen.grant.binding) == nil
        return isThere ? [] : [.grant(grant)]
    }
}
