// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// The routes as of now. Readers take a copy; the feed swaps the whole.
package final class RoutingTable: Sendable {
    private let routes = Mutex<[RouteTarget: RouteState]>([:])

    package init() {}

    /// What is served under the target's name; nil for a name that nobody knows.
    package func state(of target: RouteTarget) -> RouteState? { routes.withLock { $0[target] } }

    /// All that is known, for those who ask what there is.
    package var all: [RouteTarget: RouteState] { routes.withLock { $0 } }

    package func replace(with fresh: [RouteTarget: RouteState]) { routes.withLock { $0 = fresh } }

    /// The route to the target, or why there is none.
    package func route(to target: RouteTarget) throws(PredictionError) -> Route {
        switch state(of: target) {
        case .serving(let route): return route
        case .waiting(let reason): throw .notReady(target, reason)
        case nil: throw .unknown(target)
        }
    }
}
