// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Metrics
import Synchronization

/// How a request came in.
package enum FrontProtocol: String, Sendable, CaseIterable { case http, grpc, kafka }

/// What one name was asked and how it answered. Cost per request: a few atomic additions; no lock where all went well.
package final class RouteMeters: Sendable {
    private let http: FrontMeters
    private let grpc: FrontMeters
    private let kafka: FrontMeters

    package convenience init(_ target: RouteTarget) {
        self.init(labels: [("namespace", target.key.namespace), (target.kind.rawValue, target.key.name)])
    }

    /// Requests that no name can be put to share one series: labels must not come from callers.
    package convenience init(unknown: Void) { self.init(labels: []) }

    private init(labels: [(String, String)]) {
        http = FrontMeters(.http, labels)
        grpc = FrontMeters(.grpc, labels)
        kafka = FrontMeters(.kafka, labels)
    }

    /// Counts an answer: an HTTP status or a gRPC code.
    package func count(_ front: FrontProtocol, code: Int, took: Duration) {
        switch front {
        case .http: http.count(code, took)
        case .grpc: grpc.count(code, took)
        case .kafka: kafka.count(code, took)
        }
    }
}

/// What one name was asked over one protocol.
private final class FrontMeters: Sendable {
    private let labels: [(String, String)]
    /// Made when they are first needed: most names are asked over one protocol only, and mostly answer well.
    private let usual = AtomicLazyReference<Usual>()
    private let failed = Mutex<[Int: Counter]>([:])

    private final class Usual: Sendable {
        let seconds: Timer
        let answered: Counter

        init(seconds: Timer, answered: Counter) {
            self.seconds = seconds
            self.answered = answered
        }
    }

    /// The code of an answer that is one.
    private let well: Int

    init(_ front: FrontProtocol, _ labels: [(String, String)]) {
        self.labels = labels + [("protocol", front.rawValue)]
        well = front == .grpc ? 0 : 200
    }

    func count(_ code: Int, _ took: Duration) {
        let usual = usual.load() ?? self.usual.storeIfNil(makeUsual())
        usual.seconds.recordNanoseconds(took.nanoseconds)
        if code == well { return usual.answered.increment() }
        let series = failed.withLock { failed in
            if let known = failed[code] { return known }
            let fresh = self.counter(of: code)
            failed[code] = fresh
            return fresh
        }
        series.increment()
    }

    /// The registry gives the same series to whoever asks for it, so it does not matter who was first.
    private func makeUsual() -> Usual {
        Usual(seconds: Timer(label: "hydro_gateway_request_seconds", dimensions: labels), answered: counter(of: well))
    }

    private func counter(of code: Int) -> Counter {
        Counter(label: "hydro_gateway_requests_total", dimensions: labels + [("code", "\(code)")])
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
        seconds.recordNanoseconds(time.nanoseconds)
    }

    func fail() { failed.increment() }
    func retry() { retried.increment() }
}
