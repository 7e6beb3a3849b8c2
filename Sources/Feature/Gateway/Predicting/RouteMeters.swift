// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Metrics
import Synchronization

/// How a request came in.
package enum FrontProtocol: String, Sendable, CaseIterable { case http, grpc }

/// What one name was asked and how it answered. Cost per request: a short lock for the counter, one for the time.
package final class RouteMeters: Sendable {
    private let labels: [(String, String)]
    private let counters = Mutex<[Outcome: Counter]>([:])
    private let seconds: [FrontProtocol: Timer]

    private struct Outcome: Hashable {
        var front: FrontProtocol
        var code: Int
    }

    package init(_ target: RouteTarget) {
        let labels = [("namespace", target.key.namespace), (target.kind.rawValue, target.key.name)]
        self.labels = labels
        seconds = Dictionary(
            uniqueKeysWithValues: FrontProtocol.allCases.map { front in
                (front, Timer(label: "hydro_gateway_request_seconds", dimensions: labels + [("protocol", front.rawValue)]))
            })
    }

    /// Requests that no name can be put to share one series: labels must not come from callers.
    package init(unknown: Void) {
        labels = []
        seconds = [:]
    }

    /// Counts an answer: an HTTP status or a gRPC code.
    package func count(_ front: FrontProtocol, code: Int, took: Duration) {
        let counter = counters.withLock { counters in
            let outcome = Outcome(front: front, code: code)
            if let known = counters[outcome] { return known }
            let fresh = Counter(
                label: "hydro_gateway_requests_total", dimensions: labels + [("protocol", front.rawValue), ("code", "\(code)")])
            counters[outcome] = fresh
            return fresh
        }
        counter.increment()
        seconds[front]?.record(duration: took)
    }
}

/// What one variant of a stage was asked and how it answered.
package final class VariantMeters: Sendable {
    private let answered: Counter
    private let failed: Counter
    private let retried: Counter
    private let seconds: Timer

    package init(_ target: RouteTarget, stage: String, servable: String) {
        let labels = [
            ("namespace", target.key.namespace), (target.kind.rawValue, target.key.name), ("stage", stage), ("variant", servable),
        ]
        answered = Counter(label: "hydro_gateway_variant_requests_total", dimensions: labels + [("outcome", "answered")])
        failed = Counter(label: "hydro_gateway_variant_requests_total", dimensions: labels + [("outcome", "failed")])
        retried = Counter(label: "hydro_gateway_variant_retries_total", dimensions: labels)
        seconds = Timer(label: "hydro_gateway_variant_seconds", dimensions: labels)
    }

    func answer(after time: Duration) {
        answered.increment()
        seconds.record(duration: time)
    }

    func fail() { failed.increment() }
    func retry() { retried.increment() }
}
