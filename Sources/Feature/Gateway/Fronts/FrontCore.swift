// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging
import Metrics

/// What both fronts lean on.
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

    func route(to target: RouteTarget) throws(PredictionError) -> Route {
        do throws(PredictionError) { return try table.route(to: target) } catch {
            guard case .unknown = error, !isListed() else { throw error }
            throw .notReady(target, "the gateway has not heard of everything yet")
        }
    }

    func begin() { inFlight.increment() }
    func end() { inFlight.decrement() }

    /// Logs what an operator may have to act on. A caller's own mistakes are for the caller.
    func note(_ error: PredictionError, _ target: RouteTarget?, _ requestID: String?) {
        switch error {
        case .unknown, .malformed, .invalidInput, .abandoned, .notReady: return
        case .brokenContract, .modelFailed, .unavailable, .lost, .deadlineExceeded: break
        }
        logger.debug(
            "prediction failed",
            metadata: ["target": "\(target.map { "\($0)" } ?? "")", "request": "\(requestID ?? "")", "reason": "\(error)"])
    }
}
