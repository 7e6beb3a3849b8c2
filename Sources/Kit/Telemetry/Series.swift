// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import CoreMetrics
internal import Synchronization

/// One time series: a name's numbers under one set of labels.
protocol Series: AnyObject, Sendable {
    func write(to exposition: inout Exposition, name: String, labels: String)
    /// The sum, and how many samples it is of where that is known.
    var reading: (sum: Double, count: UInt64) { get }
}

/// Goes up only.
final class CounterSeries: Series, CounterHandler, FloatingPointCounterHandler {
    private let value = Mutex<Double>(0)

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) {
        // A counter that fell would read as a restart.
        guard amount > 0 else { return }
        value.withLock { $0 += amount }
    }
    func reset() { value.withLock { $0 = 0 } }
    var reading: (sum: Double, count: UInt64) { (value.withLock { $0 }, 0) }
    func write(to exposition: inout Exposition, name: String, labels: String) {
        exposition.sample(name, labels, value.withLock { $0 })
    }
}

/// Goes up and down; the last value recorded.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    private let value = Mutex<Double>(0)

    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(Double(new)) }
    func record(_ new: Double) { set(new) }
    var reading: (sum: Double, count: UInt64) { (value.withLock { $0 }, 0) }
    func write(to exposition: inout Exposition, name: String, labels: String) {
        exposition.sample(name, labels, value.withLock { $0 })
    }
}

/// Counts by bucket. A timer's nanoseconds become seconds.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    private struct Counts {
        var buckets: [UInt64]
        var sum: Double = 0
    }
    private let bounds: [Double]
    private let counts: Mutex<Counts>

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Mutex(Counts(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts.withLock {
            $0.buckets[bucket] += 1
            $0.sum += value
        }
    }
    var reading: (sum: Double, count: UInt64) { counts.withLock { ($0.sum, $0.buckets.reduce(0, +)) } }
    func write(to exposition: inout Exposition, name: String, labels: String) {
        let seen = counts.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var total: UInt64 = 0
        for (count, bound) in zip(seen.buckets, bounds + [.infinity]) {
            total += count
            exposition.sample(name + "_bucket", prefix + "le=\"\(Exposition.number(bound))\"", Double(total))
        }
        exposition.sample(name + "_sum", labels, seen.sum)
        exposition.sample(name + "_count", labels, Double(total))
    }
}

/// Stands in for a series that was refused: takes what is given, and counts it as dropped.
final class RefusedSeries: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private let dropped: CounterSeries
    init(countingIn dropped: CounterSeries) { self.dropped = dropped }

    func increment(by amount: Int64) { dropped.increment(by: 1.0) }
    func increment(by amount: Double) { dropped.increment(by: 1.0) }
    func decrement(by amount: Double) { dropped.increment(by: 1.0) }
    func set(_ value: Int64) { dropped.increment(by: 1.0) }
    func set(_ value: Double) { dropped.increment(by: 1.0) }
    func record(_ value: Int64) { dropped.increment(by: 1.0) }
    func record(_ value: Double) { dropped.increment(by: 1.0) }
    func recordNanoseconds(_ duration: Int64) { dropped.increment(by: 1.0) }
    func reset() {}
}
