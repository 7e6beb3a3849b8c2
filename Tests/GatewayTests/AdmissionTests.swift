// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore
import Synchronization
import Telemetry
import Testing
import Wire

@testable import Gateway

struct AdmissionTests {
    private static let target = RouteTarget(.application, ObjectKey("default", "tumour"))

    private static func prediction() -> Prediction {
        var dice = Dice(seed: 1)
        return Prediction(requestID: .init(using: &dice), deadline: .now + .seconds(30))
    }

    /// How a request that wants in is answered.
    private static func enter(_ admission: Admission, within span: Duration = .seconds(30)) async -> PredictionError? {
        do throws(PredictionError) { try await admission.enter(prediction(), until: .now + span) } catch { return error }
        return nil
    }

    /// What several tasks write down.
    private final class Notes: Sendable {
        let order = Mutex<[Int]>([])
        let inside = Mutex((now: 0, most: 0, served: 0))
    }

    /// Others are at work: looks until it is so, and no test waits for longer than a minute.
    private static func until(_ holds: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while !holds() {
            try #require(.now < end)
            await Task.yield()
        }
    }

    @Test func `so many are let in, so many wait, and the next is told when to come again`() async throws {
        let admission = Admission(Self.target, .init(limit: 2, queue: 1))
        for _ in 0..<2 { #expect(await Self.enter(admission) == nil) }
        async let third = Self.enter(admission)
        try await Self.until { admission.queued == 1 }
        #expect(await Self.enter(admission) == .overloaded(Self.target, .init(limit: 2, queue: 1), retryAfter: 1))
        #expect((admission.inFlight, admission.queued) == (2, 1))
        admission.leave(after: .seconds(3))
        #expect(await third == nil)
        #expect((admission.inFlight, admission.queued) == (2, 0))
        async let fourth = Self.enter(admission)
        try await Self.until { admission.queued == 1 }
        // Two before it, at two at once, and each takes three seconds.
        #expect(await Self.enter(admission)?.retryAfter == 3)
        for _ in 0..<3 { admission.leave(after: .seconds(3)) }
        #expect(await fourth == nil)
        #expect((admission.inFlight, admission.queued) == (0, 0))
    }

    @Test func `who came first is first`() async throws {
        let admission = Admission(Self.target, .init(limit: 1, queue: 10))
        #expect(await Self.enter(admission) == nil)
        let notes = Notes()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    #expect(await Self.enter(admission) == nil)
                    notes.order.withLock { $0.append(number) }
                    admission.leave(after: .zero)
                }
                try await Self.until { admission.queued == number + 1 }
            }
            admission.leave(after: .zero)
            try await group.waitForAll()
        }
        #expect(notes.order.withLock { $0 } == Array(0..<10))
    }

    @Test func `who waits too long, or goes away, leaves the queue`() async throws {
        let admission = Admission(Self.target, .init(limit: 1, queue: 5))
        #expect(await Self.enter(admission) == nil)
        guard case .deadlineExceeded = await Self.enter(admission, within: .milliseconds(5)) else {
            Issue.record("wanted the deadline to pass")
            return
        }
        #expect(admission.queued == 0)
        try await withThrowingTaskGroup(of: PredictionError?.self) { group in
            group.addTask { await Self.enter(admission) }
            try await Self.until { admission.queued == 1 }
            group.cancelAll()
            #expect(try await group.next() == .abandoned)
        }
        #expect(admission.queued == 0)
        admission.leave(after: .zero)
        #expect(await Self.enter(admission) == nil)
        #expect(admission.inFlight == 1)
    }

    @Test func `in a crowd where many give up, never more are let in than may be, and nobody is forgotten`() async throws {
        let admission = Admission(Self.target, .init(limit: 3, queue: 40))
        let notes = Notes()
        await withDiscardingTaskGroup { group in
            for number in 0..<4000 {
                group.addTask {
                    let patience: Duration = number % 3 == 0 ? .microseconds(number % 500) : .seconds(60)
                    guard await Self.enter(admission, within: patience) == nil else { return }
                    notes.inside.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.served + 1) }
                    for _ in 0..<(number % 7) { await Task.yield() }
                    notes.inside.withLock { $0.now -= 1 }
                    admission.leave(after: .microseconds(10))
                }
                if number % 16 == 0 { await Task.yield() }
            }
        }
        let (now, most, served) = notes.inside.withLock { $0 }
        #expect(now == 0)
        #expect(most <= 3)
        #expect(served > 40)
        #expect((admission.inFlight, admission.queued) == (0, 0))
        for _ in 0..<3 { #expect(await Self.enter(admission) == nil) }
        #expect(admission.queued == 0)
    }

    @Test func `limits are the route's own, else the gateway's, and outlive changes of the route`() throws {
        let table = RoutingTable()
        let feed = RoutingFeed(into: table, limits: .init(limit: 7, queue: 8), logger: Bench.silence)
        let stages = [Objects.stage("s", Objects.signature, [Objects.variant("tumour-1")])]
        func tell(_ limit: Int?, _ queue: Int? = nil) throws -> Admission {
            let application = Objects.application("tumour", stages, limit: limit, queue: queue)
            feed.tell(application, at: application.key)
            return try table.route(to: Self.target).admission
        }
        let first = try tell(nil)
        #expect(first.limits == .init(limit: 7, queue: 8))
        #expect(try tell(nil) === first)
        #expect(try tell(3).limits == .init(limit: 3, queue: 3))
        #expect(try tell(3, 0).limits == .init(limit: 3, queue: 0))
    }

    @Test func `over the limit callers get 429 or RESOURCE_EXHAUSTED, and Retry-After`() async throws {
        let gate = AsyncStream<Void>.makeStream()
        let model = FakeModel { (_) throws(GRPCStatus) in
            for await _ in gate.stream {}
            return ["label": Tensor(.int64, .scalar, .int64([1]))]
        }
        try await Bench.run([model]) { bench in
            let variants = [Objects.variant("tumour-1", port: bench.ports[0])]
            bench.tell(Objects.application("tumour", [Objects.stage("s", Objects.signature, variants)], limit: 1, queue: 0))
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.1", true)]))
            async let first = bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            try await Self.until { !model.requests.isEmpty }
            let second = await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            #expect(second.status == 429)
            #expect(second.headers["retry-after"] == "1")
            #expect(second.body.contains(#""error":"TooManyRequests""#))
            do throws(UpstreamError) {
                _ = try await bench.call("PredictApplication", "tumour", PredictionTests.inputs)
                Issue.record("a second request was let in")
            } catch {
                guard case .refused(let status) = error else { throw error }
                #expect(status.code == .resourceExhausted)
            }
            gate.continuation.finish()
            #expect(await first.status == 200)
        }
    }
}
