// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import Metrics

/// What a controller counts. The labels are names in code.
struct ControllerMetrics: Sendable {
    private let seconds: Timer
    private let depth: Meter
    private let dropped: Meter
    private let verdicts: [String: Counter]
    private let name: String

    init(controller name: String) {
        self.name = name
        seconds = Timer(label: "hydro_kuberuntime_reconcile_seconds", dimensions: [("controller", name)])
        depth = Meter(label: "hydro_kuberuntime_queue_depth", dimensions: [("controller", name)])
        dropped = Meter(label: "hydro_kuberuntime_queue_dropped", dimensions: [("controller", name)])
        verdicts = Dictionary(
            uniqueKeysWithValues: ["settled", "waiting", "stalled", "failing", "gone", "interrupted"].map { verdict in
                (verdict, Counter(label: "hydro_kuberuntime_reconciles_total", dimensions: [("controller", name), ("verdict", verdict)]))
            })
    }

    func count(_ verdict: String, took: Duration, depth waiting: Int, dropped lost: Int) {
        verdicts[verdict]?.increment()
        seconds.recordNanoseconds(Int64(took / .nanoseconds(1)))
        depth.set(waiting)
        dropped.set(lost)
    }
}
