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

    func description(of name: String, _ version: String?) throws(PredictionError) -> ModelDescription {
        let route = try route(name, version)
        return ModelDescription(
            name: name, versions: route.versions.map { "\($0)" }, platform: Self.platform, signature: route.signature)
    }

    /// All versions of all applications, in order; those that cannot be asked have a reason.
    func index(isReadyOnly: Bool) -> [ModelIndexEntry] {
        core.applications(in: namespace).flatMap { name, state in
            switch state {
            case .serving(let route):
                route.versions.map { version in
                    ModelIndexEntry(
                        name: name, version: "\(version)", isReady: route.hasPods, reason: route.hasPods ? "" : "it has no ready pods")
                }
            case .waiting(let reason): [ModelIndexEntry(name: name, version: "", isReady: false, reason: reason)]
            }
        }.filter { $0.isReady || !isReadyOnly }
    }

    /// What the versions of one model were asked, or with no name those of all.
    func statistics(of name: String?, _ version: String?) throws(PredictionError) -> [ModelStatistics] {
        guard let metrics = core.metrics else { throw .notOffered(Self.foreign("statistics")) }
        var routes: [(name: String, route: Route)] = []
        if let name, !name.isEmpty {
            routes = [(name, try route(name, version))]
        } else {
            for case (let name, .serving(let route)) in core.applications(in: namespace) { routes.append((name, route)) }
        }
        return routes.flatMap { name, route in
            let stage = route.stages[route.stages.count - 1]
            return route.versions.map { version in
                var sum = ModelStatistics(name: name, version: "\(version)", answered: 0, failed: 0, nanoseconds: 0)
                for variant in stage.variants where variant.version == version {
                    let labels = VariantMeters.labels(route.target, stage: stage.name, servable: variant.servable.name)
                    let took = metrics.reading("hydro_gateway_variant_seconds", labels)
                    let failed = metrics.reading("hydro_gateway_variant_requests_total", labels + [("outcome", "failed")])
                    sum.answered += took.count
                    sum.nanoseconds += UInt64(max(0, took.sum) * 1e9)
                    sum.failed += UInt64(max(0, failed.sum))
                }
                return sum
            }
        }
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
