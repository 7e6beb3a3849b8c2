// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore

@testable import Controllers

/// Objects as tests need them.
enum Make {
    static let namespace = "default"
    static let settings: OperatorSettings = {
        var settings = OperatorSettings(namespace: "hydro-system", registry: "registry.test:5000")
        settings.registryPullHost = "pull.test:5000"
        settings.gateway.image = "registry.test:5000/hydro:1"
        return settings
    }()
    static let features = ServerFeatures(
        autoscaler: HorizontalPodAutoscaler.kind, disruptionBudget: PodDisruptionBudget.kind, hasGRPCProbes: true)

    static func signature(_ inputs: [Field] = [Field("x", .double, [3])], _ outputs: [Field] = [Field("y", .int64, .scalar)]) -> Signature {
        Signature(inputs: inputs, outputs: outputs)
    }

    static func model(_ name: String = "iris", generation: Int64 = 1) -> Model {
        var model = Model()
        model.metadata = ObjectMeta(ObjectKey(namespace, name))
        model.metadata.uid = "uid-\(name)"
        model.metadata.generation = generation
        model.spec.runtime = RuntimeChoice()
        model.spec.runtime?.name = "python"
        model.spec.source.configMap = LocalRef("files")
        model.spec.signature = signature()
        return model
    }

    static func runtime() -> ResolvedRuntime {
        var runtime = ResolvedRuntime()
        runtime.name = "python"
        runtime.image = "registry.test:5000/python@sha256:\(String(repeating: "a", count: 64))"
        runtime.healthPort = 9092
        return runtime
    }

    static func version(
        _ number: Int, of model: String = "iris", source: String = "sha256:one", phase: ModelVersion.Phase? = .released,
        signature: Signature = Make.signature()
    ) -> ModelVersion {
        var version = ModelVersion()
        version.metadata = ObjectMeta(ObjectKey(namespace, "\(model)-\(number)"))
        version.metadata.uid = "uid-\(model)-\(number)"
        version.spec.model = model
        version.spec.version = number
        version.spec.runtime = runtime()
        version.spec.source.kind = .configMap
        version.spec.source.digest = source
        version.spec.signature = signature
        version.spec.fingerprint = VersionFingerprint.of(version)
        version.status.phase = phase
        if phase == .released {
            version.status.image = ModelVersion.Image()
            version.status.image?.repository = "registry.test:5000/default/\(model)"
            version.status.image?.tag = String(number)
            version.status.image?.digest = "sha256:image-\(source)"
        }
        return version
    }

    static func resolution(source: String, inputs: String = "inputs") -> ModelObserved.Resolution {
        var pinned = ModelVersion.Source()
        pinned.kind = .configMap
        pinned.digest = source
        let fingerprint = VersionFingerprint.of(runtime: runtime(), source: pinned, install: nil, signature: signature())
        return ModelObserved.Resolution(inputs: inputs, runtime: runtime(), source: pinned, fingerprint: fingerprint)
    }

    static func application(_ stages: [[Application.Variant]], generation: Int64 = 1) -> Application {
        var application = Application()
        application.metadata = ObjectMeta(ObjectKey(namespace, "app"))
        application.metadata.uid = "uid-app"
        application.metadata.generation = generation
        application.spec.stages = stages.map { variants in
            var stage = Application.Stage()
            stage.variants = variants
            return stage
        }
        return application
    }

    static func variant(_ model: String, _ version: Int? = nil, weight: Int? = nil, shadow: Int? = nil) -> Application.Variant {
        var variant = Application.Variant()
        variant.model = model
        variant.version = version
        variant.weight = weight
        if let shadow {
            variant.shadow = Application.Shadow()
            variant.shadow?.percent = shadow
        }
        return variant
    }

    static func servable(_ version: ModelVersion, ready: Bool, owners: [String] = ["uid-app"], made: Bool = true) -> Servable {
        var servable = Servable()
        servable.metadata = ObjectMeta(ObjectKey(namespace, version.metadata.name))
        servable.metadata.uid = "uid-servable-\(version.metadata.name)"
        servable.metadata.resourceVersion = "7"
        if made { servable.metadata.labels = Labels.owned(name: version.spec.model, component: "servable") }
        servable.metadata.ownerReferences = owners.map {
            OwnerReference(apiVersion: Application.kind.apiVersion, kind: "Application", name: $0, uid: $0)
        }
        servable.spec.modelVersion = version.metadata.name
        servable.status.service = version.metadata.name
        servable.status.conditions =
            (ready ? Standing.ready() : .working(reason: "Starting", message: "0 of 1 pods are ready")).conditions
        return servable
    }

    static func observed(_ versions: [ModelVersion], _ servables: [Servable] = []) -> ApplicationObserved {
        var seen = ApplicationObserved()
        for version in versions {
            seen.models[version.spec.model] = model(version.spec.model)
            seen.versions[version.spec.model, default: []].append(version)
        }
        seen.servables = Dictionary(uniqueKeysWithValues: servables.map { ($0.metadata.name, $0) })
        seen.gatewayURL = "http://gateway:9090"
        return seen
    }
}
