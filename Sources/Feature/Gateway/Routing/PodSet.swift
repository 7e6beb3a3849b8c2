// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// The ready pods of one Service as of now. A pod keeps its load and its standing for as long as its address stays.
package final class PodSet: Sendable {
    private let pods = Mutex<[Pod]>([])
    /// How much may be tried again.
    let budget = RetryBudget()

    package init(_ addresses: [String] = []) { replace(with: addresses) }

    package var isEmpty: Bool { pods.withLock { $0.isEmpty } }
    package var all: [Pod] { pods.withLock { $0 } }
    /// How many are left out.
    package var ejected: Int { all.count { $0.isEjected(at: PodClock.now) } }

    /// Pods that join others start slowly; the first ones of all have nobody to leave the work to.
    package func replace(with addresses: [String], now: Int64 = PodClock.now) {
        pods.withLock { pods in
            let known = pods
            var seen: Set<String> = []
            pods = addresses.filter { seen.insert($0).inserted }.map { ip in
                known.first { $0.ip == ip } ?? Pod(ip: ip, since: known.isEmpty ? nil : now)
            }
            for pod in known where !seen.contains(pod.ip) { pod.leave() }
        }
    }

    /// The less loaded of two pods that the numbers point at; ejected ones and `tried` ones only where nothing else is left.
    ///
    /// Nil when there is no pod, or when all have been tried.
    /// - Parameter warmup: nanoseconds for which a new pod gets less than its share.
    package func choose(_ draw: UInt64, now: Int64, warmup: Int64 = 0, tried: [Pod] = []) -> Pod? {
        let all = pods.withLock { $0 }
        if all.count == 1, tried.isEmpty { return all[0] }
        let untried = tried.isEmpty ? all : all.filter { pod in !tried.contains { $0 === pod } }
        if untried.allSatisfy({ !$0.isEjected(at: now) }) { return Self.lighter(of: untried, draw, now, warmup) }
        let healthy = untried.filter { !$0.isEjected(at: now) }
        return Self.lighter(of: healthy.isEmpty ? untried : healthy, draw, now, warmup)
    }

    private static func lighter(of pods: [Pod], _ draw: UInt64, _ now: Int64, _ warmup: Int64) -> Pod? {
        guard pods.count > 1 else { return pods.first }
        let count = UInt64(pods.count)
        let first = Int(((draw >> 32) * count) >> 32)
        // The second is drawn among the others, so that two different ones are compared.
        let step = 1 + Int(((draw & 0xffff_ffff) * (count - 1)) >> 32)
        let (one, other) = (pods[first], pods[(first + step) % pods.count])
        let (warmth, otherWarmth) = (one.warmth(at: now, within: warmup), other.warmth(at: now, within: warmup))
        if warmth == otherWarmth { return other.load < one.load ? other : one }
        // The colder one is taken as often as it is warm, whatever the load is, and its load weighs the more the colder it is.
        let coin = Double(Dice.mixed(draw ^ 0x9e37_79b9_7f4a_7c15) >> 11) * 0x1p-53
        if coin * otherWarmth >= warmth { return other }
        if coin * warmth >= otherWarmth { return one }
        return Double(other.load) / otherWarmth < Double(one.load) / warmth ? other : one
    }

    /// Whether one more pod may be left out on a mere suspicion: never more than half of them.
    func maySpare(at now: Int64) -> Bool {
        let all = all
        return (all.count { $0.isEjected(at: now) } + 1) * 2 <= all.count
    }
}
