// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// One pod of a servable, as the gateway sees it.
package final class Pod: Sendable {
    package let ip: String
    /// Requests that are with the pod now.
    private let inFlight = Atomic<Int>(0)
    /// Until when the pod is left out for having refused a connection, in nanoseconds of the set's clock.
    private let shunnedUntil = Atomic<Int64>(0)

    init(ip: String) { self.ip = ip }

    package var load: Int { inFlight.load(ordering: .relaxed) }

    package func begin() { inFlight.wrappingAdd(1, ordering: .relaxed) }
    package func end() { inFlight.wrappingSubtract(1, ordering: .relaxed) }

    /// Leaves the pod out until then, as long as there are others.
    package func shun(until time: Int64) { shunnedUntil.store(time, ordering: .relaxed) }

    func isShunned(at time: Int64) -> Bool { shunnedUntil.load(ordering: .relaxed) > time }
}

/// The ready pods of one Service as of now. A pod keeps its load for as long as its address stays.
package final class PodSet: Sendable {
    private let pods = Mutex<[Pod]>([])

    package init(_ addresses: [String] = []) { replace(with: addresses) }

    package var isEmpty: Bool { pods.withLock { $0.isEmpty } }
    package var all: [Pod] { pods.withLock { $0 } }

    package func replace(with addresses: [String]) {
        pods.withLock { pods in
            let known = pods
            var seen: Set<String> = []
            pods = addresses.filter { seen.insert($0).inserted }.map { ip in known.first { $0.ip == ip } ?? Pod(ip: ip) }
        }
    }

    /// The less loaded of two pods that the numbers point at; shunned ones and `tried` ones only where nothing else is left.
    ///
    /// Nil when there is no pod, or when all have been tried.
    package func choose(_ draw: UInt64, now: Int64, tried: [Pod] = []) -> Pod? {
        let all = pods.withLock { $0 }
        if all.count == 1, tried.isEmpty { return all[0] }
        let untried = tried.isEmpty ? all : all.filter { pod in !tried.contains { $0 === pod } }
        let healthy = untried.filter { !$0.isShunned(at: now) }
        return Self.lighter(of: healthy.isEmpty ? untried : healthy, draw)
    }

    static func lighter(of pods: [Pod], _ draw: UInt64) -> Pod? {
        guard pods.count > 1 else { return pods.first }
        let count = UInt64(pods.count)
        let first = Int(((draw >> 32) * count) >> 32)
        // The second is drawn among the others, so that two different ones are compared.
        let step = 1 + Int(((draw & 0xffff_ffff) * (count - 1)) >> 32)
        let (one, other) = (pods[first], pods[(first + step) % pods.count])
        return other.load < one.load ? other : one
    }
}
