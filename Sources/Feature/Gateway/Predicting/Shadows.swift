// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Metrics
import ServiceLifecycle
import Synchronization
package import Wire

/// A variant that gets copies of requests and never answers.
package final class Shadow: Sendable {
    let variant: Route.Variant
    /// How many of a hundred requests are copied, drawn one by one.
    let percent: Int
    /// Copies that wait or are under way.
    fileprivate let copies = Atomic<Int>(0)
    private let sent: Counter
    private let failed: Counter
    private let dropped: Counter

    init(_ variant: Route.Variant, percent: Int, labels: [(String, String)]) {
        self.variant = variant
        self.percent = percent
        sent = Counter(label: "hydro_gateway_shadow_sent_total", dimensions: labels)
        failed = Counter(label: "hydro_gateway_shadow_failed_total", dimensions: labels)
        dropped = Counter(label: "hydro_gateway_shadow_dropped_total", dimensions: labels)
    }

    func isDue(_ dice: Dice) -> Bool { percent >= 100 || dice.next().multipliedFullWidth(by: 100).high < UInt64(max(0, percent)) }

    fileprivate func send() { sent.increment() }
    fileprivate func fail() { failed.increment() }
    fileprivate func drop() { dropped.increment() }
}

/// Makes the calls of shadows, beside those that answer.
///
/// A prediction only puts its copy into its loop's lane, whose lock no other loop takes; the call starts later in the same turn, as
/// a child task of this service. Bounded by copies for each shadow and by bytes for all; what finds no room is dropped and counted.
package final class Shadows: ServiceLifecycle.Service, Sendable {
    /// What copies may take, in this replica.
    package struct Limits: Sendable, Equatable {
        /// Copies of one shadow that wait or are under way.
        package var copies = 128
        /// Bytes that all copies together keep.
        package var bytes = 64 << 20

        package init() {}
    }

    /// What a copy takes beside its values.
    private static let overhead = 2048

    private let loops: WireLoops
    private let limits: Limits
    private let lanes: [Lane<ShadowCopy>]
    private let bytes = Atomic<Int>(0)

    package init(on loops: WireLoops, limits: Limits = Limits()) {
        self.loops = loops
        self.limits = limits
        lanes = loops.all.map { _ in Lane() }
    }

    /// Has the call made for the shadow, or drops it. Never waits.
    func put(_ call: VariantCall, for shadow: Shadow, keeping size: Int) {
        let weight = size + Self.overhead
        let copies = shadow.copies.wrappingAdd(1, ordering: .relaxed).newValue
        let held = bytes.wrappingAdd(weight, ordering: .relaxed).newValue
        let copy = ShadowCopy(call: call, shadow: shadow, weight: weight)
        // Who runs on none of the loops, such as a consumer of messages, is not on the path of anybody.
        let lane = lanes[loops.currentIndex ?? 0]
        guard copies <= limits.copies, held <= limits.bytes, lane.put(copy) else {
            shadow.drop()
            return forget(copy)
        }
    }

    private func forget(_ copy: ShadowCopy) {
        copy.shadow.copies.wrappingSubtract(1, ordering: .relaxed)
        bytes.wrappingSubtract(copy.weight, ordering: .relaxed)
    }

    /// Copies that wait or are under way keep so many bytes.
    var held: Int { bytes.load(ordering: .relaxed) }

    package func run() async throws {
        // At the end copies are dropped: nobody waits for them. List it before the fronts, so that it is stopped after them.
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for (loop, lane) in zip(self.loops.all, self.lanes) {
                    group.addTask { await withTaskExecutorPreference(loop) { await self.serve(lane) } }
                }
            }
        }
    }

    private func serve(_ lane: Lane<ShadowCopy>) async {
        await withDiscardingTaskGroup { group in
            while let copies = await lane.next() {
                for copy in copies { group.addTask { await self.send(copy) } }
            }
        }
    }

    private func send(_ copy: ShadowCopy) async {
        defer { forget(copy) }
        guard !Task.isCancelled else { return copy.shadow.drop() }
        copy.shadow.send()
        do throws(PredictionError) { _ = try await copy.call.answer() } catch { copy.shadow.fail() }
    }
}

/// A call that waits to be made for a shadow.
private struct ShadowCopy: Sendable {
    var call: VariantCall
    var shadow: Shadow
    /// Bytes that it keeps.
    var weight: Int
}
