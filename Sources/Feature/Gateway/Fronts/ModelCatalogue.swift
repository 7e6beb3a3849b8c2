// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import Protos
import Telemetry

/// A namespace's applications as the Open Inference Protocol sees them: models in a repository.
///
/// A model's versions are those that answer in the application's last stage.
struct ModelCatalogue {
    let core: FrontCore
    let namespace: String

    static let platform = "hydro"
    static let declared =
        "models are served by what applications declare: wanted a change of the Application, found a request to the gateway"

    static func foreign(_ topic: String) -> String { "the gateway has no \(topic): wanted a prediction or a model's metadata" }

    /// Whether the model can be asked now: it is served, and every stage has a pod.
    func isReady(_ name: String, _ version: String?) throws(PredictionError) -> Bool {
        do throws(PredictionError) { return try route(name, version).hasPods } catch {
            if case .notReady = error { return false }
            throw error
        }
    }

    func metadata(of name: String, _ version: String?) throws(PredictionError) -> Inference_ModelMetadataResponse {
        let route = try route(name, version)
        var metadata = Inference_ModelMetadataResponse()
        metadata.name = name
        metadata.versions = route.versions.map { "\($0)" }
        metadata.platform = Self.platform
        metadata.inputs = route.signature.inputs.map(Self.tensor)
        metadata.outputs = route.signature.outputs.map(Self.tensor)
        return metadata
    }

    /// A type that the protocol does not have keeps its own name, in capitals; any shape is one open extent.
    private static func tensor(_ field: Field) -> Inference_ModelMetadataResponse.TensorMetadata {
        var tensor = Inference_ModelMetadataResponse.TensorMetadata()
        tensor.name = field.name
        tensor.datatype = field.dtype.openInferenceName ?? field.dtype.rawValue.uppercased()
        tensor.shape = field.shape?.dims ?? [Shape.anyExtent]
        return tensor
    }

    /// All versions of all applications, in order; those that cannot be asked have a reason.
    func index(isReadyOnly: Bool) -> [Inference_RepositoryIndexResponse.ModelIndex] {
        core.applications(in: namespace).flatMap { name, state in
            switch state {
            case .serving(let route):
                route.versions.map { Self.entry(name, "\($0)", route.hasPods ? nil : "it has no ready pods") }
            case .waiting(let reason): [Self.entry(name, "", reason)]
            }
        }.filter { $0.reason.isEmpty || !isReadyOnly }
    }

    private static func entry(_ name: String, _ version: String, _ problem: String?) -> Inference_RepositoryIndexResponse.ModelIndex {
        var entry = Inference_RepositoryIndexResponse.ModelIndex()
        entry.name = name
        entry.version = version
        entry.state = problem == nil ? "READY" : "UNAVAILABLE"
        entry.reason = problem ?? ""
        return entry
    }

    /// What the versions of one model were asked, or with no name those of all.
    func statistics(of name: String?, _ version: String?) throws(PredictionError) -> [Inference_ModelStatistics] {
        guard let metrics = core.metrics else { throw .notOffered(Self.foreign("statistics")) }
        var routes: [(name: String, route: Route)] = []
        if let name, !name.isEmpty {
            routes = [(name, try route(name, version))]
        } else {
            for case (let name, .serving(let route)) in core.applications(in: namespace) { routes.append((name, route)) }
        }
        return routes.flatMap { name, route in route.versions.map { Self.statistics(of: name, $0, route, metrics) } }
    }

    private static func statistics(
        of name: String, _ version: Int, _ route: Route, _ metrics: MetricsRegistry
    ) -> Inference_ModelStatistics {
        var (answered, failed) = (Inference_StatisticDuration(), Inference_StatisticDuration())
        let stage = route.stages[route.stages.count - 1]
        for variant in stage.variants where variant.version == version {
            let labels = VariantMeters.labels(route.target, stage: stage.name, servable: variant.servable.name)
            let took = metrics.reading("hydro_gateway_variant_seconds", labels)
            answered.count += took.count
            answered.ns += UInt64(max(0, took.sum) * 1e9)
            failed.count += UInt64(max(0, metrics.reading("hydro_gateway_variant_requests_total", labels + [("outcome", "failed")]).sum))
        }
        var statistics = Inference_ModelStatistics()
        statistics.name = name
        statistics.version = "\(version)"
        statistics.inferenceCount = answered.count
        statistics.executionCount = answered.count
        statistics.inferenceStats.success = answered
        statistics.inferenceStats.fail = failed
        statistics.inferenceStats.computeInfer = answered
        return statistics
    }

    private func route(_ name: String, _ version: String?) throws(PredictionError) -> Route {
        let route = try core.model(at: ObjectKey(namespace, name))
        return try ModelVersionText.number(version).map { (version) throws(PredictionError) in try route.pinned(to: version) } ?? route
    }
}

extension Route {
    /// Whether every stage has a variant with a pod.
    var hasPods: Bool { stages.allSatisfy { $0.variants.contains { !$0.pods.isEmpty } } }
}
