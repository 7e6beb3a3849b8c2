// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Composer
import HydroAPI
import JSON
import KubeClient
import KubeCore
import KubeRuntime
import OCI

/// Makes a version whenever what makes a model's image or contract has changed.
struct ModelReconciler: Sendable {
    let stores: Stores
    let client: ClusterClient
    let composer: any ImageComposing
    let reporter: Reporter
    let settings: OperatorSettings

    /// Brings the cluster one step closer to what the model asks for.
    func reconcile(_ model: Model) async throws -> Verdict {
        let seen = try await observe(model)
        let plan = ModelPlan(for: model, given: seen)
        let (verdict, status, standing) = try await carryOut(plan)
        try await reporter.report(status, standing, on: model)
        return verdict
    }

    private func observe(_ model: Model) async throws -> ModelObserved {
        var versions = stores.versions(of: model.key).filter { !$0.isBeingDeleted }
        if let given = model.status.latestVersion, given > versions.last?.spec.version ?? 0 {
            // Either it was deleted, or the store has not heard of it yet: only the server knows.
            let name = Names.modelVersion(model: model.metadata.name, version: given)
            if let live = try await client.find(ModelVersion.self, ObjectKey(model.key.namespace, name)), !live.isBeingDeleted {
                versions.append(live)
            }
        }
        return ModelObserved(versions: versions, inputs: try await inputs(of: model, latest: versions.last), used: used(model))
    }

    /// Names of the model's versions that a servable runs or an application names.
    private func used(_ model: Model) -> Set<String> {
        let namespace = model.key.namespace
        var used = Set(stores.servables.indexed(Stores.byNamespace, namespace).map(\.spec.modelVersion))
        for application in stores.applications.indexed(Stores.byNamespace, namespace) {
            for variant in application.spec.stages.flatMap(\.variants) where variant.model == model.metadata.name {
                if let version = variant.version { used.insert(Names.modelVersion(model: variant.model, version: version)) }
            }
        }
        return used
    }

    private func inputs(of model: Model, latest: ModelVersion?) async throws -> ModelObserved.Inputs {
        if let refusal = ModelRefusal.of(model) { return .unusable(reason: refusal.reason, message: refusal.message) }
        var inputs = ModelInputs()
        inputs.source = model.spec.source
        inputs.install = model.spec.install
        inputs.signature = model.spec.signature
        if model.spec.source.external == nil {
            switch runtime(of: model) {
            case .success(let runtime): inputs.runtime = runtime
            case .failure(let refusal): return .unusable(reason: refusal.reason, message: refusal.message)
            }
        }
        let loader = SourceLoader(client: client)
        do {
            let spec = try await loader.load(model.spec.source, in: model.key.namespace)
            if case .configMap = spec { inputs.contentDigest = try await composer.resolveSource(spec).digest }
            if let latest, latest.metadata.annotations[ModelInputs.annotation] == inputs.digest { return .unchanged }
            return .resolved(try await resolve(model, inputs, spec))
        } catch let error as ComposerError {
            return error.canHeal
                ? .unreachable(reason: error.reason.rawValue, message: error.message)
                : .unusable(reason: error.reason.rawValue, message: error.message)
        } catch let error as KubeError where !Task.isCancelled {
            return .unreachable(reason: ComposerError.Reason.sourceUnreachable.rawValue, message: "\(error)")
        }
    }

    private func runtime(of model: Model) -> Result<Runtime.Spec, ModelRefusal> {
        guard let choice = model.spec.runtime else {
            return .failure(ModelRefusal("InvalidSpec", "runtime wants a name or an image, got none"))
        }
        if let image = choice.image {
            var spec = Runtime.Spec()
            spec.image = image
            if let given = choice.protocol { spec.protocol = given }
            if let port = choice.port { spec.port = port }
            return .success(spec)
        }
        let name = choice.name ?? ""
        for namespace in [model.key.namespace, settings.namespace] {
            if let runtime = stores.runtimes.get(ObjectKey(namespace, name)) { return .success(runtime.spec) }
        }
        let places = "namespaces \"\(model.key.namespace)\" and \"\(settings.namespace)\""
        return .failure(ModelRefusal("RuntimeNotFound", "wants the Runtime \"\(name)\", found none in \(places)"))
    }

    private func resolve(_ model: Model, _ inputs: ModelInputs, _ spec: SourceSpec) async throws -> ModelObserved.Resolution {
        var runtime: ResolvedRuntime?
        if model.spec.source.external == nil {
            let image = try await composer.resolveRuntime(image: settings.pushed(inputs.runtime.image))
            runtime = ResolvedRuntime(inputs.runtime, name: model.spec.runtime?.name, image: image.reference.description)
        }
        var source = SourceLoader.named(model.spec.source)
        if source.kind != .external { source.digest = try await composer.resolveSource(spec).digest }
        let fingerprint = VersionFingerprint.of(
            runtime: runtime, source: source, install: model.spec.install, signature: model.spec.signature)
        return ModelObserved.Resolution(inputs: inputs.digest, runtime: runtime, source: source, fingerprint: fingerprint)
    }

    private func carryOut(_ plan: ModelPlan) async throws -> (Verdict, Model.Status, Standing) {
        do {
            for step in plan.steps { try await perform(step) }
            return (plan.verdict, plan.status, plan.standing)
        } catch let error where !Task.isCancelled {
            var status = plan.status
            // A number counts as given only once the version is there.
            status.latestVersion = plan.numberBefore
            return (.failing(message: "\(error)"), status, .working(reason: "ApplyFailed", message: "\(error)"))
        }
    }

    private func perform(_ step: ModelPlan.Step) async throws {
        switch step {
        case .create(let version): _ = try await client.create(version)
        case .note(let inputs, let key):
            _ = try await client.mergePatch(
                ModelVersion.self, key, ["metadata": ["annotations": .object([ModelInputs.annotation: .string(inputs)])]])
        case .prune(let key): _ = try await client.delete(ModelVersion.kind, key)
        }
    }
}
