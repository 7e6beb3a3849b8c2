// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// Nanoseconds of the program's clock, for what is compared on every request.
package enum PodClock {
    private static let start = ContinuousClock.now

    package static var now: Int64 { start.duration(to: .now).nanoseconds }
}

extension Duration {
    /// Nanoseconds of a span of less than 292 years.
    var nanoseconds: Int64 { components.seconds &* 1_000_000_000 &+ components.attoseconds / 1_000_000_000 }
}

/// One pod of a servable, as the gateway sees it.
package final class Pod: Sendable {
    /// So many failures without an answer between them make a pod suspect.
    static let patience = 5
    /// The least share of its share that a new pod gets.
    private static let leastWarmth = 0.1

    package let ip: String
    /// Requests that are with the pod now.
    private let inFlight = Atomic<Int>(0)
    /// Until when the pod is left out.
    private let ejectedUntil = Atomic<Int64>(0)
    private let failures = Atomic<Int>(0)
    /// When it joined others, or came back to them; nil for a pod that was there from the beginning.
    private let since: Atomic<Int64>
    private let hasLeft = Atomic<Bool>(false)

    init(ip: String, since: Int64? = nil) {
        self.ip = ip
        self.since = Atomic(since ?? .min)
    }

    package var load: Int { inFlight.load(ordering: .relaxed) }

    package func begin() { inFlight.wrappingAdd(1, ordering: .relaxed) }
    package func end() { inFlight.wrappingSubtract(1, ordering: .relaxed) }

    /// From a tenth, for one that has just come, to one.
    func warmth(at now: Int64, within span: Int64) -> Double {
        let since = since.load(ordering: .relaxed)
        guard since != .min, span > 0, now - since < span else { return 1 }
        return max(Self.leastWarmth, Double(now - since) / Double(span))
    }

    // MARK: Standing

    func isEjected(at now: Int64) -> Bool { ejectedUntil.load(ordering: .relaxed) > now }

    /// Leaves the pod out until then, as long as there are others. True for the first who does.
    func eject(until time: Int64, now: Int64) -> Bool {
        ejectedUntil.exchange(time, ordering: .relaxed) <= now
    }

    /// The pod has answered, or can be reached again.
    func answered(now: Int64) {
        if failures.load(ordering: .relaxed) != 0 { failures.store(0, ordering: .relaxed) }
        guard isEjected(at: now) else { return }
        ejectedUntil.store(0, ordering: .relaxed)
        since.store(now, ordering: .relaxed)
    }

    /// The pod lost a request, or says that it is unavailable; true when that has happened too often in a row.
    func failed() -> Bool { failures.wrappingAdd(1, ordering: .relaxed).newValue >= Self.patience }

    /// Whether its Service has it no more.
    var isGone: Bool { hasLeft.load(ordering: .relaxed) }

    func leave() { hasLeft.store(true, ordering: .relaxed) }
}

/// How many requests may be tried again: a fifth of those that come, and ten a second.
///
/// A token bucket that keeps at most a thousand, as in Finagle. *Cost* per request: one atomic addition.
final class RetryBudget: Sendable {
    private static let price = 1000
    private static let deposit = 200
    private static let most = 1_000_000
    private static let perSecond = 10_000

    private let balance = Atomic<Int>(10 * RetryBudget.perSecond)
    private let filledAt = Atomic<Int64>(0)

    /// A request has come.
    func add() {
        if balance.load(ordering: .relaxed) < Self.most { balance.wrappingAdd(Self.deposit, ordering: .relaxed) }
    }

    /// Takes what one retry costs; false when there is not enough.
    func take(now: Int64) -> Bool {
        fill(now)
        guard balance.load(ordering: .relaxed) >= Self.price else { return false }
        if balance.wrappingSubtract(Self.price, ordering: .relaxed).newValue >= 0 { return true }
        balance.wrappingAdd(Self.price, ordering: .relaxed)
        return false
    }

    private func fill(_ now: Int64) {
        let last = filledAt.load(ordering: .relaxed)
        let tokens = Int(min(now - last, 10_000_000_000) / 1_000_000) * Self.perSecond / 1000
        guard tokens > 0, filledAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged else { return }
        let room = max(0, 10 * Self.perSecond - balance.load(ordering: .relaxed))
        balance.wrappingAdd(min(tokens, room), ordering: .relaxed)
    }
}
