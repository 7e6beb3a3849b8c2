// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
package import HydroAPI
package import KubeCore
package import KubeRuntime

/// What to do for a model: a version when something changed, and nothing otherwise.
package struct ModelPlan: Sendable {
    package enum Step: Equatable, Sendable {
        case create(ModelVersion)
        /// Other inputs led to the same fingerprint: remember them, so that they are not resolved again.
        case note(inputs: String, on: ObjectKey)
        case prune(ObjectKey)
    }

    package private(set) var steps: [Step] = []
    package private(set) var verdict: Verdict
    package private(set) var standing: Standing
    package private(set) var status: Model.Status
    /// The highest number that was given before this pass.
    package let numberBefore: Int?

    package init(for model: Model, given seen: ModelObserved) {
        let latest = seen.versions.last
        status = Self.status(of: model, versions: seen.versions)
        numberBefore = status.latestVersion
        switch seen.inputs {
        case .unusable(let reason, let message):
            standing = .stalled(reason: reason, message: message)
            verdict = .stalled(reason: reason, message: message)
        case .unreachable(let reason, let message):
            standing = .working(reason: reason, message: message)
            verdict = .failing(message: message)
        case .unchanged:
            (standing, verdict) = Self.outlook(latest)
        case .resolved(let resolution) where latest?.spec.fingerprint == resolution.fingerprint:
            if let latest { steps = [.note(inputs: resolution.inputs, on: latest.key)] }
            (standing, verdict) = Self.outlook(latest)
        case .resolved(let resolution):
            let version = Self.version(of: model, number: (status.latestVersion ?? 0) + 1, resolution)
            steps = [.create(version)]
            status.latestVersion = version.spec.version
            status.fingerprint = resolution.fingerprint
            standing = .working(reason: "Assembling", message: "version \(version.spec.version) is being assembled")
            verdict = .waiting(reason: "Assembling", retry: .seconds(60))
        }
        steps += Self.surplus(of: model, seen).map { .prune($0.key) }
    }

    private static func status(of model: Model, versions: [ModelVersion]) -> Model.Status {
        var status = model.status
        // A number is never given twice, even when the version that had it is gone.
        status.latestVersion = [status.latestVersion, versions.last?.spec.version].compactMap { $0 }.max()
        let released = versions.last { $0.isReleased }
        status.latestReleasedVersion = released?.spec.version
        status.image = released?.status.image?.reference
        status.fingerprint = versions.last?.spec.fingerprint ?? status.fingerprint
        return status
    }

    private static func outlook(_ latest: ModelVersion?) -> (Standing, Verdict) {
        guard let latest else {
            return (.working(reason: "Assembling", message: "no version yet"), .waiting(reason: "Assembling", retry: .seconds(10)))
        }
        let number = latest.spec.version
        switch latest.status.phase {
        case .released: return (.ready(message: "version \(number) is released"), .settled)
        case .failed:
            let failure = latest.status.failure
            let reason = failure?.reason ?? "Failed"
            let message = "version \(number): \(failure?.message ?? "failed")"
            return (.stalled(reason: reason, message: message), .stalled(reason: reason, message: message))
        case .assembling, nil:
            let reason = latest.status.conditions[ConditionType.ready]?.reason ?? "Assembling"
            let detail = latest.status.conditions[ConditionType.ready]?.message ?? "waiting to begin"
            return (.working(reason: reason, message: "version \(number): \(detail)"), .waiting(reason: reason, retry: .seconds(60)))
        }
    }

    private static func version(of model: Model, number: Int, _ resolution: ModelObserved.Resolution) -> ModelVersion {
        var version = ModelVersion()
        let name = Names.modelVersion(model: model.metadata.name, version: number)
        version.metadata = ObjectMeta(
            ObjectKey(model.key.namespace, name), labels: Labels.owned(name: model.metadata.name, component: "model"),
            annotations: [ModelInputs.annotation: resolution.inputs], owners: [model.asController])
        version.metadata.labels[Labels.model] = model.metadata.name
        version.spec.model = model.metadata.name
        version.spec.version = number
        version.spec.fingerprint = resolution.fingerprint
        version.spec.runtime = resolution.runtime
        version.spec.source = resolution.source
        version.spec.install = model.spec.install
        version.spec.signature = model.spec.signature
        return version
    }

    /// Versions beyond the limit that nothing uses; the latest and the latest Released one always stay.
    private static func surplus(of model: Model, _ seen: ModelObserved) -> [ModelVersion] {
        let kept = Set([seen.versions.last?.key, seen.versions.last { $0.isReleased }?.key].compactMap { $0 })
        let idle = seen.versions.filter {
            !kept.contains($0.key) && !seen.used.contains($0.key.name) && $0.status.phase != .assembling && !$0.isBeingDeleted
        }
        return Array(idle.dropLast(model.spec.versionHistoryLimit))
    }
}
