// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
package import Logging
import Metrics
import Protos
package import Telemetry
import Wire

/// The story of a prediction that all fronts share; they differ in how values and errors are written. An object, because a copy of all that it
/// refers to would be made for each request.
package final class FrontCore: Sendable {
    let table: RoutingTable
    let pipeline: Pipeline
    let dice: Dice
    /// Where a name is looked up when the caller does not say.
    let defaultNamespace: String
    /// Counts requests that no name can be put to.
    let unknown = RouteMeters(unknown: ())
    /// Bytes of a body, once it is unpacked.
    let maxBody: Int
    /// For unpacked bodies of all requests together.
    let room: ByteBudget
    let access: AccessControl
    private let log: RequestLog
    private let inFlight = Meter(label: "hydro_gateway_requests_in_flight")
    private let isListed: @Sendable () -> Bool
    /// Where counts and times are read back for those who ask for statistics.
    let metrics: MetricsRegistry?
    private let health: Health?

    /// `isListed` says whether everything that is served has been heard of: until then, no name is unknown for good.
    package init(
        table: RoutingTable, pipeline: Pipeline, dice: Dice = Dice(), defaultNamespace: String = "default",
        maxBody: Int = 50 << 20, isListed: @escaping @Sendable () -> Bool = { true }, health: Health? = nil,
        metrics: MetricsRegistry? = nil, access: AccessControl = AccessControl(), log: RequestLog? = nil,
        logger: Logger
    ) {
        self.access = access
        self.log = log ?? RequestLog(logger: logger)
        self.health = health
        self.metrics = metrics
        self.isListed = isListed
        self.maxBody = maxBody
        room = ByteBudget(max(maxBody, 128 << 20))
        self.table = table
        self.pipeline = pipeline
        self.dice = dice
        self.defaultNamespace = defaultNamespace
    }

    /// Finds the route, has the front decode the inputs by its signature, and takes them through the stages.
    ///
    /// `visit` learns what it needs for `close` on the way, also where this throws. `decode` runs before any network; what it gives is
    /// checked against the signature here, so that no front can forget it.
    func serve(
        _ prediction: Prediction, _ visit: inout Visit, decode: (Route) throws(PredictionError) -> WireTensors
    ) async throws(PredictionError) -> Answer {
        if log.isOn { visit.see(prediction) }
        let route = try route(of: &visit)
        visit.meters = route.meters
        // Until all applications are known, so is not who protects a servable.
        if route.target.kind == .servable, !isListed() { throw .notReady(route.target, "the gateway has not heard of everything yet") }
        if !route.access.isEmpty, !prediction.isVouchedFor { try await access.admit(prediction.headers, by: route.access) }
        try await route.admission.enter(prediction, until: prediction.deadline(along: route))
        let entered = ContinuousClock.now
        defer { route.admission.leave(after: .now - entered) }
        let inputs = try decode(route)
        let violations = route.signature.violations(ofInputs: inputs)
        guard violations.isEmpty else { throw .invalidInput(violations) }
        let (outputs, version) = try await pipeline.run(prediction, inputs, along: route, trail: visit.trail)
        return Answer(outputs: outputs, route: route, version: version)
    }

    /// The route that the visit asks for, with the version that it names.
    private func route(of visit: inout Visit) throws(PredictionError) -> Route {
        guard let target = visit.target else { throw .malformed("wanted the name of an application or a servable, found none") }
        let route = visit.mayBeServable ? try model(at: target.key) : try route(to: target)
        visit.target = route.target
        return try visit.version.map { (version) throws(PredictionError) in try route.pinned(to: version) } ?? route
    }

    /// What other protocols call a model: the application of the name, or where there is none, the servable.
    func model(at key: ObjectKey) throws(PredictionError) -> Route {
        do throws(PredictionError) { return try route(to: RouteTarget(.application, key)) } catch {
            guard case .unknown = error, table.state(of: RouteTarget(.servable, key)) != nil else { throw error }
            return try route(to: RouteTarget(.servable, key))
        }
    }

    /// What is served under a name.
    func route(to target: RouteTarget) throws(PredictionError) -> Route {
        do throws(PredictionError) { return try table.route(to: target) } catch {
            guard case .unknown = error, !isListed() else { throw error }
            throw .notReady(target, "the gateway has not heard of everything yet")
        }
    }

    /// Whether the gateway may be sent requests.
    var isReady: Bool { health?.report(.ready).isPassing ?? isListed() }

    /// A request has come in; `close` must follow.
    func open(_ front: FrontProtocol) -> Visit {
        inFlight.increment()
        return Visit(front: front, began: .now)
    }

    /// The request has been answered: an HTTP status or a gRPC code, and the error behind it.
    func close(_ visit: Visit, code: Int, _ error: PredictionError? = nil) {
        inFlight.decrement()
        if visit.unpacked > 0 { room.give(visit.unpacked) }
        let took = ContinuousClock.now - visit.began
        (visit.meters ?? unknown).count(visit.front, code: code, took: took)
        if error != nil || log.isOn { log.note(visit, code: code, error, took: took) }
    }
}

/// What is known of a request while it is answered.
struct Visit {
    let front: FrontProtocol
    let began: ContinuousClock.Instant
    var requestID: String?
    /// Our span in the caller's trace, or in one of our own.
    var trace: TraceContext?
    var target: RouteTarget?
    /// Whether a servable is meant where no application has the name.
    var mayBeServable = false
    /// The version that the caller insists on, in the last stage.
    var version: Int?
    /// Bytes that the body took when it was unpacked.
    var unpacked = 0
    var meters: RouteMeters?
    /// Where the variants that are drawn are noted, where somebody wants to know.
    var trail: VariantTrail?
    /// For the log, where there is one.
    var seen: SeenRequest?
}

extension Visit {
    /// Writes down what the log will want.
    mutating func see(_ prediction: Prediction) {
        seen = SeenRequest(peer: prediction.peer, bytes: prediction.bytes, traceID: prediction.trace?.traceID)
        trail = trail ?? VariantTrail()
    }
}

extension Visit {
    /// Notes what ties the visit to logs and traces elsewhere.
    mutating func identify(_ prediction: Prediction) {
        requestID = prediction.requestID.text
        trace = prediction.trace
    }

    /// The headers that tell the caller.
    func identify(_ headers: inout WireHeaders) {
        if let requestID { headers.append("x-request-id", requestID) }
        if let trace { headers.append("traceparent", trace.description) }
    }
}

/// A prediction's outcome: the declared outputs of the last stage.
struct Answer {
    var outputs: WireTensors
    var route: Route
    /// The version of the last stage's model that answered.
    var version: Int
}
