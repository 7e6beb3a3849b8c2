// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
package import HydroAPI
import KubeCore

/// What one variant of an application comes to: a version that can be served, or a reason why not.
package struct VariantChoice: Equatable, Sendable {
    package var stage: String
    package var variant: Application.Variant
    package var outcome: Outcome

    package enum Outcome: Equatable, Sendable {
        case found(ModelVersion, servable: String)
        /// It comes by itself.
        case awaited(reason: String, message: String)
        /// Somebody must act.
        case missing(reason: String, message: String)
    }

    package init(_ variant: Application.Variant, stage: String, given seen: ApplicationObserved) {
        self.stage = stage
        self.variant = variant
        outcome = Self.outcome(variant, seen)
    }

    package var version: ModelVersion? { if case .found(let version, _) = outcome { version } else { nil } }
    package var servable: String? { if case .found(_, let servable) = outcome { servable } else { nil } }
    package var answers: Bool { variant.shadow == nil }

    /// A variant alone gets everything.
    package func weight(among choices: [VariantChoice]) -> Int {
        guard answers else { return 0 }
        return choices.filter(\.answers).count == 1 ? 100 : variant.weight ?? 0
    }

    private static func outcome(_ variant: Application.Variant, _ seen: ApplicationObserved) -> Outcome {
        guard let model = seen.models[variant.model] else {
            return .missing(reason: "ModelNotFound", message: "wants the Model \"\(variant.model)\", found none")
        }
        let versions = seen.versions[variant.model] ?? []
        guard let number = variant.version else {
            if let latest = versions.last(where: { $0.isReleased }) { return check(latest, variant) }
            if let failed = versions.last, failed.status.phase == .failed {
                return .missing(reason: "VersionFailed", message: "\(failed.metadata.name): \(failed.status.failure?.message ?? "failed")")
            }
            if model.status.conditions.isTrue(ConditionType.stalled), let ready = model.status.conditions[ConditionType.ready] {
                return .missing(reason: "ModelStalled", message: "Model \"\(variant.model)\": \(ready.message)")
            }
            return .awaited(reason: "VersionNotReleased", message: "Model \"\(variant.model)\" has no Released version yet")
        }
        guard let version = versions.first(where: { $0.spec.version == number }) else {
            let known = versions.map { String($0.spec.version) }.joined(separator: ", ")
            return .missing(
                reason: "VersionNotFound",
                message: "wants version \(number) of Model \"\(variant.model)\", found \(known.isEmpty ? "none" : "versions \(known)")")
        }
        return check(version, variant)
    }

    private static func check(_ version: ModelVersion, _ variant: Application.Variant) -> Outcome {
        let name = version.metadata.name
        switch version.status.phase {
        case .failed:
            return .missing(reason: "VersionFailed", message: "\(name): \(version.status.failure?.message ?? "failed")")
        case .assembling, nil:
            return .awaited(reason: "VersionNotReleased", message: "\(name) is being assembled")
        case .released:
            guard version.status.image != nil else {
                return .missing(reason: "External", message: "\(name) runs elsewhere and cannot be served here")
            }
            let servable = Names.servable(modelVersion: name, deploymentConfiguration: variant.deploymentConfiguration)
            return .found(version, servable: servable)
        }
    }
}
