// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Metrics
import Synchronization

/// How a request came in.
package enum FrontProtocol: String, Sendable, CaseIterable { case http, grpc }

/// What one name was asked and how it answered. Cost per request: one short lock, and one for each of the two series.
package final class RouteMeters: Sendable {
    private let labels: [(String, String)]
    private let series = Mutex<Series>(Series())

    /// Made when they are first needed: most names are asked over one protocol only.
    private struct Series {
        var counters: [Outcome: Counter] = [:]
        var seconds: [FrontProtocol: Timer] = [:]
    }

    private struct Outcome: Hashable {
        var front: FrontProtocol
        var code: Int
    }

    package init(_ target: RouteTarget) {
        labels = [("namespace", target.key.namespace), (target.kind.rawValue, target.key.name)]
    }

    /// Requests that no name can be put to share one series: labels must not come from callers.
    package init(unknown: Void) { labels = [] }

    /// Counts an answer: an HTTP status or a gRPC code.
    package func count(_ front: FrontProtocol, code: Int, took: Duration) {
        let outcome = Outcome(front: front, code: code)
        let (counter, timer): (Counter, Timer) = series.withLock { series in
            (self.counter(of: outcome, in: &series), self.timer(of: front, in: &series))
        }
        counter.increment()
        timer.record(duration: took)
    }

    private func counter(of outcome: Outcome, in series: inout Series) -> Counter {
        if let known = series.counters[outcome] { return known }
        let fresh = Counter(
            label: "hydro_gateway_requests_total",
            dimensions: labels + [("protocol", outcome.front.rawValue), ("code", "\(outcome.code)")])
        series.counters[outcome] = fresh
        return fresh
    }

    private func timer(of front: FrontProtocol, in series: inout Series) -> Timer {
        if let known = series.seconds[front] { return known }
        let fresh = Timer(label: "hydro_gateway_request_seconds", dimensions: labels + [("protocol", front.rawValue)])
        series.seconds[front] = fresh
        return fresh
    }
}

/// What one variant of a stage was asked and how it answered.
package final class VariantMeters: Sendable {
    private let answered: Counter
    private let failed: Counter
    private let retried: Counter
    private let seconds: Timer

    package init(_ target: RouteTarget, stage: String, servable: String) {
        let labels = Self.labels(target, stage: stage, servable: servable)
        answered = Counter(label: "hydro_gateway_variant_requests_total", dimensions: labels + [("outcome", "answered")])
        failed = Counter(label: "hydro_gateway_variant_requests_total", dimensions: labels + [("outcome", "failed")])
        retried = Counter(label: "hydro_gateway_variant_retries_total", dimensions: labels)
        seconds = Timer(label: "hydro_gateway_variant_seconds", dimensions: labels)
    }

    /// What tells the series of one variant from others.
    static func labels(_ target: RouteTarget, stage: String, servable: String) -> [(String, String)] {
        [("namespace", target.key.namespace), (target.kind.rawValue, target.key.name), ("stage", stage), ("variant", servable)]
    }

    func answer(after time: Duration) {
        answered.increment()
        seconds.record(duration: time)
    }

    func fail() { failed.increment() }
    func retry() { retried.increment() }
}
