// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
package import Logging
import Metrics
import Protos

/// The story of a prediction that all fronts share; they differ in how values and errors are written.
package struct FrontCore: Sendable {
    let table: RoutingTable
    let pipeline: Pipeline
    let dice: Dice
    /// Where a name is looked up when the caller does not say.
    let defaultNamespace: String
    /// Counts requests that no name can be put to.
    let unknown = RouteMeters(unknown: ())
    private let inFlight = Meter(label: "hydro_gateway_requests_in_flight")
    private let isListed: @Sendable () -> Bool
    private let logger: Logger

    /// `isListed` says whether everything that is served has been heard of: until then, no name is unknown for good.
    package init(
        table: RoutingTable, pipeline: Pipeline, dice: Dice = Dice(), defaultNamespace: String = "default",
        isListed: @escaping @Sendable () -> Bool = { true }, logger: Logger
    ) {
        self.isListed = isListed
        self.table = table
        self.pipeline = pipeline
        self.dice = dice
        self.defaultNamespace = defaultNamespace
        self.logger = logger
    }

    /// Finds the route, has the front decode the inputs by its signature, and takes them through the stages.
    ///
    /// `visit` learns what it needs for `close` on the way, also where this throws. `decode` runs before any network; what it gives is
    /// checked against the signature here, so that no front can forget it.
    func serve(
        _ prediction: Prediction, _ visit: inout Visit, decode: (Route) throws(PredictionError) -> WireTensors
    ) async throws(PredictionError) -> Answer {
        guard let target = visit.target else { throw .malformed("wanted the name of an application or a servable, found none") }
        let route = try route(to: target)
        visit.meters = route.meters
        let inputs = try decode(route)
        let violations = route.signature.violations(ofInputs: inputs.outlines)
        guard violations.isEmpty else { throw .invalidInput(violations) }
        let outputs = try await pipeline.run(prediction, inputs, along: route)
        return Answer(outputs: outputs, route: route)
    }

    /// What is served under a name.
    func route(to target: RouteTarget) throws(PredictionError) -> Route {
        do throws(PredictionError) { return try table.route(to: target) } catch {
            guard case .unknown = error, !isListed() else { throw error }
            throw .notReady(target, "the gateway has not heard of everything yet")
        }
    }

    /// A request has come in; `close` must follow.
    func open(_ front: FrontProtocol) -> Visit {
        inFlight.increment()
        return Visit(front: front, began: .now)
    }

    /// The request has been answered: an HTTP status or a gRPC code, and the error behind it.
    func close(_ visit: Visit, code: Int, _ error: PredictionError? = nil) {
        inFlight.decrement()
        (visit.meters ?? unknown).count(visit.front, code: code, took: .now - visit.began)
        if let error { note(error, visit) }
    }

    /// Logs what an operator may have to act on. A caller's own mistakes are for the caller.
    private func note(_ error: PredictionError, _ visit: Visit) {
        switch error {
        case .unknown, .unknownVersion, .noSuchPath, .wrongMethod, .malformed, .badFrame, .invalidInput, .abandoned, .notReady: return
        case .brokenContract, .modelFailed, .unavailable, .lost, .deadlineExceeded: break
        }
        logger.debug(
            "prediction failed",
            metadata: [
                "target": "\(visit.target.map { "\($0)" } ?? "")", "request": "\(visit.requestID ?? "")", "reason": "\(error)",
            ])
    }
}

/// What is known of a request while it is answered.
struct Visit {
    let front: FrontProtocol
    let began: ContinuousClock.Instant
    var requestID: String?
    var target: RouteTarget?
    var meters: RouteMeters?
}

/// A prediction's outcome: the declared outputs of the last stage.
struct Answer {
    var outputs: WireTensors
    var route: Route
}
