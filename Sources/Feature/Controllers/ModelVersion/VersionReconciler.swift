// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Composer
import Contract
import HydroAPI
import KubeClient
import KubeCore
import KubeRuntime
import OCI

/// Has a version's image made, and deletes it with the version.
struct VersionReconciler: Sendable {
    /// How long a version waits for a registry that does not let its image be deleted.
    static let patience: Duration = .seconds(20)

    let stores: Stores
    let client: ClusterClient
    let composer: any ImageComposing
    let reporter: Reporter
    let events: EventRecorder
    let settings: OperatorSettings

    /// Brings the version one step closer to its image.
    func reconcile(_ version: ModelVersion) async throws -> Verdict {
        let seen = VersionObserved(
            siblings: siblings(of: version), progress: composer.progress(of: version.key.description), now: reporter.now())
        let plan = VersionPlan(for: version, given: seen)
        var (verdict, standing, status) = (plan.verdict, plan.standing, plan.status)
        do {
            for step in plan.steps { try await perform(step, version) }
        } catch let error as ComposerError {
            let failed = VersionPlan(
                for: version, given: VersionObserved(siblings: seen.siblings, progress: .failed(error, log: []), now: seen.now))
            (verdict, standing, status) = (failed.verdict, failed.standing, failed.status)
        } catch let error where !Task.isCancelled {
            (verdict, standing) = (.failing(message: "\(error)"), .working(reason: "ApplyFailed", message: "\(error)"))
        }
        try await reporter.report(status, standing, on: version)
        return verdict
    }

    /// Ends a build that runs and deletes the image, unless another version has the same.
    func cleanUp(_ version: ModelVersion) async throws -> FinalizerOutcome {
        composer.cancel(version.key.description)
        guard let image = version.status.image, !siblings(of: version).contains(where: { $0.status.image?.digest == image.digest }) else {
            return .done
        }
        do {
            try await composer.deleteImage(repository: image.repository, digest: image.digest)
            return .done
        } catch let error where !Task.isCancelled {
            let waited = version.metadata.deletionTimestamp.map { reporter.now() - $0 } ?? .zero
            guard waited >= Self.patience else { return .waiting(reason: "ImageNotDeleted", retry: .seconds(3)) }
            let message = "the image \(image.reference) is left in the registry: \(error)"
            events.record(on: version.ref, .warning, reason: "ImageLeft", message: message)
            return .done
        }
    }

    private func siblings(of version: ModelVersion) -> [ModelVersion] {
        stores.versions(of: ObjectKey(version.key.namespace, version.spec.model)).filter { $0.key != version.key && !$0.isBeingDeleted }
    }

    private func perform(_ step: VersionPlan.Step, _ version: ModelVersion) async throws {
        switch step {
        case .forget: composer.cancel(version.key.description)
        case .start: composer.start(try await order(for: version))
        }
    }

    private func order(for version: ModelVersion) async throws -> BuildOrder {
        let namespace = version.key.namespace
        let spec = try await SourceLoader(client: client).load(version.spec.source, in: namespace)
        return BuildOrder(
            key: version.key.description, model: version.spec.model, version: version.spec.version,
            repository: settings.repository(namespace: namespace, model: version.spec.model),
            runtimeImage: version.spec.runtime?.image ?? "", source: spec, sourceDigest: version.spec.source.digest ?? "",
            signature: version.spec.signature ?? Signature(inputs: [], outputs: []), fingerprint: version.spec.fingerprint)
    }
}
