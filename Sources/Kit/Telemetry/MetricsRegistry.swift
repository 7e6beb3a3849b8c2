// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import CoreMetrics
internal import Synchronization

/// A backend of swift-metrics that keeps every series in memory and shows them in Prometheus' text format.
///
/// The number of names, and of series in a name, is bounded: what comes beyond is dropped, sample by sample, and
/// counted in `hydro_telemetry_samples_dropped_total` by the name that overflowed.
/// Cost: making a handler takes a lock and a look-up, so keep handlers; recording takes one short lock of the series.
package final class MetricsRegistry: MetricsFactory, Sendable {
    /// How much is kept, and how histograms are cut.
    package struct Settings: Sendable {
        package var names = 500
        package var seriesOfName = 500
        /// Upper bounds for timers and aggregating recorders; seconds, for timers.
        package var bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
        /// Bounds of single names, where the usual ones do not fit.
        package var boundsOfName: [String: [Double]] = [:]
        /// The help text of names.
        package var help: [String: String] = [:]

        package init() {}
    }

    private struct Family {
        var type: String
        var series: [String: any Series] = [:]
    }

    static let droppedName = "hydro_telemetry_samples_dropped_total"
    private let settings: Settings
    private let families = Mutex<[String: Family]>([droppedName: Family(type: "counter")])

    package init(_ settings: Settings = Settings()) { self.settings = settings }

    /// All series as text, in order of name and labels.
    package func exposition() -> String {
        let snapshot = families.withLock { $0 }
        var out = Exposition()
        for (name, family) in snapshot.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            let help = name == Self.droppedName ? "samples that found no room, by the metric they were for" : settings.help[name]
            out.family(name, type: family.type, help: help)
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(to: &out, name: name, labels: labels)
            }
        }
        return out.text
    }

    /// How much one series holds: a counter's sum, or a histogram's sum of seconds and its count. Zero where there is no such series.
    package func reading(_ label: String, _ dimensions: [(String, String)]) -> (sum: Double, count: UInt64) {
        let labels = Exposition.labels(dimensions)
        return families.withLock { $0[Exposition.name(label)]?.series[labels] }?.reading ?? (0, 0)
    }

    /// The series under these labels, made if there is room; nil if there is none or the name means another type.
    private func series<Wanted: Series>(
        _ label: String, _ dimensions: [(String, String)], _ type: String, make: () -> Wanted
    ) -> Wanted? {
        let name = Exposition.name(label)
        let labels = Exposition.labels(dimensions)
        return families.withLock { all in
            if let family = all[name] {
                if let series = family.series[labels] { return series as? Wanted }
                guard family.type == type, family.series.count < settings.seriesOfName else { return nil }
            } else {
                guard all.count < settings.names else { return nil }
                all[name] = Family(type: type)
            }
            let series = make()
            all[name]?.series[labels] = series
            return series
        }
    }

    /// Counts by name; names beyond the bound share one series, so that the counter of drops is bounded too.
    private func refused(_ label: String) -> RefusedSeries {
        let dropped = families.withLock { all in
            let isKnown = all[Exposition.name(label)] != nil
            let labels = Exposition.labels([("metric", isKnown ? Exposition.name(label) : "other")])
            if let series = all[Self.droppedName]?.series[labels] as? CounterSeries { return series }
            let series = CounterSeries()
            all[Self.droppedName]?.series[labels] = series
            return series
        }
        return RefusedSeries(countingIn: dropped)
    }

    private func forget(_ handler: AnyObject) {
        families.withLock { all in
            for (name, family) in all {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
                all[name]?.series[labels] = nil
            }
        }
    }
}

extension MetricsRegistry {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, "counter") { CounterSeries() } ?? refused(label)
    }

    package func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        series(label, dimensions, "counter") { CounterSeries() } ?? refused(label)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, "gauge") { GaugeSeries() } ?? refused(label)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { return histogram(label, dimensions) ?? refused(label) }
        return series(label, dimensions, "gauge") { GaugeSeries() } ?? refused(label)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions) ?? refused(label)
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries? {
        series(label, dimensions, "histogram") {
            HistogramSeries(bounds: settings.boundsOfName[Exposition.name(label)] ?? settings.bounds)
        }
    }

    package func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}
