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
        conditions = composition.conditions
        let wanted = composition.mayDeploy ? Set(stages.joined().compactMap(\.servable)) : []
        let ownership = ServableOwnership(of: application, route: status.activeRoute, wanted: wanted, given: seen, settings: settings)
        steps = ownership.steps(for: stages.joined())
        standing = composition.standing
        verdict = composition.verdict
        if case .settled = verdict, let retry = ownership.nextRelease { verdict = .waiting(reason: "Lingering", retry: retry) }
    }
}
