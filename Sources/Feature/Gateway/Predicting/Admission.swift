// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Metrics
import Synchronization

/// So many requests at once under one name; so many more wait, first come, first served; the rest are told to come again.
///
/// *Cost*: two atomic additions and a clock while there is room. The lock is taken only by who waits, or hands over to who waits.
package final class Admission: Sendable {
    /// How many, in this replica of the gateway.
    package struct Limits: Sendable, Equatable {
        package var limit: Int
        package var queue: Int

        package init(limit: Int = 1000, queue: Int = 1000) {
            self.limit = limit
            self.queue = queue
        }
    }

    package let limits: Limits
    let target: RouteTarget
    /// Requests under way, waiting, or about to wait.
    private let count = Atomic<Int>(0)
    private let gate = Mutex(Gate())
    /// How long a request has its place, in nanoseconds: an average that forgets. A lost update between loops is only noise in it.
    private let mean = Atomic<Int64>(0)
    private let turnedAway: Counter

    package init(_ target: RouteTarget, _ limits: Limits = Limits()) {
        self.target = target
        self.limits = limits
        turnedAway = Counter(
            label: "hydro_gateway_concurrency_turned_away_total",
            dimensions: target.labels)
    }

    package var inFlight: Int { min(count.load(ordering: .relaxed), limits.limit) }
    package var queued: Int { max(0, count.load(ordering: .relaxed) - limits.limit) }

    /// Takes a place, or waits for one until the deadline. `leave` must follow, unless this throws.
    package func enter(_ prediction: Prediction, until deadline: ContinuousClock.Instant) async throws(PredictionError) {
        guard count.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue > limits.limit else { return }
        switch await wait(until: deadline) {
        case .granted: return
        case .late: throw .deadlineExceeded(after: deadline - prediction.began)
        case .cancelled: throw .abandoned
        case .full:
            turnedAway.increment()
            throw .overloaded(target, limits, retryAfter: retryAfter)
        }
    }

    /// Gives the place back, to who has waited longest.
    package func leave(after held: Duration) {
        let nanoseconds = held.nanoseconds
        let known = mean.load(ordering: .relaxed)
        mean.store(known == 0 ? nanoseconds : known + (nanoseconds - known) / 16, ordering: .relaxed)
        guard count.wrappingSubtract(1, ordering: .acquiringAndReleasing).oldValue > limits.limit else { return }
        gate.withLock { $0.handOver() }?.resume(returning: .granted)
    }

    /// When those who wait now will have been served, as things go: whole seconds, from 1 to 60.
    private var retryAfter: Int {
        let seconds = Double(mean.load(ordering: .relaxed)) / 1e9 * Double(queued + 1) / Double(limits.limit)
        return Int(min(60, max(1, seconds.rounded(.up))))
    }

    // MARK: The queue

    private enum Outcome { case granted, full, late, cancelled }

    /// Who waits: where, once it does.
    private final class Waiter: Sendable {
        let place = Atomic<Int>(-1)
    }

    private func wait(until deadline: ContinuousClock.Instant) async -> Outcome {
        let waiter = Waiter()
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cut short, somebody else has decided.
                do { try await Task.sleep(until: deadline) } catch { return }
                self.giveUp(waiter, .late)
            }
            let outcome = await self.queueUp(waiter)
            group.cancelAll()
            return outcome
        }
    }

    private func queueUp(_ waiter: Waiter) async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let settled: Outcome? = gate.withLock { gate in
                    if gate.spare > 0 {
                        gate.spare -= 1
                        return .granted
                    }
                    if gate.waiting.count < limits.queue {
                        waiter.place.store(gate.join(continuation), ordering: .relaxed)
                        return nil
                    }
                    withdraw(&gate)
                    return .full
                }
                if let settled { continuation.resume(returning: settled) }
                // Cancelled before it stood in the queue, the handler found nobody.
                if settled == nil, Task.isCancelled { giveUp(waiter, .cancelled) }
            }
        } onCancel: {
            giveUp(waiter, .cancelled)
        }
    }

    private func giveUp(_ waiter: Waiter, _ outcome: Outcome) {
        let continuation = gate.withLock { gate in
            let continuation = gate.waiting.removeValue(forKey: waiter.place.load(ordering: .relaxed))
            if continuation != nil { withdraw(&gate) }
            return continuation
        }
        continuation?.resume(returning: outcome)
    }

    /// One that was counted takes no place. If a place is on its way to it already, nobody may have that one.
    private func withdraw(_ gate: inout Gate) {
        if count.wrappingSubtract(1, ordering: .acquiringAndReleasing).oldValue <= limits.limit { gate.spare -= 1 }
    }

    /// Who waits, in order.
    private struct Gate {
        var waiting: [Int: CheckedContinuation<Outcome, Never>] = [:]
        private var first = 0
        private var next = 0
        /// Places that were handed over before those they are for had begun to wait; below zero, such that nobody waits for any more.
        var spare = 0

        mutating func join(_ continuation: CheckedContinuation<Outcome, Never>) -> Int {
            waiting[next] = continuation
            next += 1
            return next - 1
        }

        mutating func handOver() -> CheckedContinuation<Outcome, Never>? {
            guard spare >= 0 else {
                spare += 1
                return nil
            }
            while first < next {
                first += 1
                if let continuation = waiting.removeValue(forKey: first - 1) { return continuation }
            }
            spare += 1
            return nil
        }
    }
}
