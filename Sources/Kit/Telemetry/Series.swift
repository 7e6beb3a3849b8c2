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

/// A number that many threads change without a lock.
struct AtomicNumber: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ new: Double) { bits.store(new.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: seen) + amount).bitPattern
            let (exchanged, found) = bits.weakCompareExchange(expected: seen, desired: new, ordering: .relaxed)
            if exchanged { return }
            seen = found
        }
    }
}

/// Goes up only.
final class CounterSeries: Series, CounterHandler, FloatingPointCounterHandler {
    private let value = AtomicNumber()

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) {
        // A counter that fell would read as a restart.
        guard amount > 0 else { return }
        value.add(amount)
    }
    func reset() { value.set(0) }
    var reading: (sum: Double, count: UInt64) { (value.value, 0) }
    func write(to exposition: inout Exposition, name: String, labels: String) {
        exposition.sample(name, labels, value.value)
    }
}

/// Goes up and down; the last value recorded.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    private let value = AtomicNumber()

    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.set(new) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }
    func record(_ new: Int64) { set(Double(new)) }
    func record(_ new: Double) { set(new) }
    var reading: (sum: Double, count: UInt64) { (value.value, 0) }
    func write(to exposition: inout Exposition, name: String, labels: String) {
        exposition.sample(name, labels, value.value)
    }
}

/// Counts by bucket. A timer's nanoseconds become seconds.
final class HistogramSeries: Series, RecorderHandler, TimerHandler, @unchecked Sendable {
    // SAFETY: constants, atomics, and a pointer to atomics that is freed with the object.
    private let bounds: [Double]
    /// One for each bound, and one for what is beyond them.
    private let buckets: UnsafeMutablePointer<Atomic<UInt64>>
    private let sum = AtomicNumber()

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = .allocate(capacity: bounds.count + 1)
        for place in 0...bounds.count { (buckets + place).initialize(to: Atomic(0)) }
    }

    deinit {
        buckets.deinitialize(count: bounds.count + 1)
        buckets.deallocate()
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        guard !value.isNaN else { return }
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        buckets[bucket].wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }
    var reading: (sum: Double, count: UInt64) { (sum.value, (0...bounds.count).reduce(0) { $0 + buckets[$1].load(ordering: .relaxed) }) }
    func write(to exposition: inout Exposition, name: String, labels: String) {
        let prefix = labels.isEmpty ? "" : labels + ","
        var total: UInt64 = 0
        for (place, bound) in (bounds + [.infinity]).enumerated() {
            total += buckets[place].load(ordering: .relaxed)
            exposition.sample(name + "_bucket", prefix + "le=\"\(Exposition.number(bound))\"", Double(total))
        }
        exposition.sample(name + "_sum", labels, sum.value)
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
