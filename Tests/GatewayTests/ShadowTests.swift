// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Synchronization
import Telemetry
import Testing
import Wire

@testable import Gateway

struct ShadowTests {
    private static let path = "/gateway/application/tumour"
    private static let body = #"{"features":[1,2]}"#

    private static func until(_ holds: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while !holds() {
            try #require(.now < end)
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test func `a shadow gets every request and never answers`() async throws {
        let shadow = FakeModel.labelling(2)
        try await Bench.run([.labelling(1), shadow]) { bench in
            bench.serve("tumour", weights: [50, 50], shadow: 1)
            for number in 0..<20 {
                let answer = await bench.post(Self.path, Self.body, ["x-request-id": "r\(number)"])
                #expect(answer.body == #"{"label":1}"#)
            }
            try await Self.until { shadow.requests.count == 20 }
            #expect(Set(shadow.requests.compactMap { $0.headers["x-request-id"] }) == Set((0..<20).map { "r\($0)" }))
            // Five seconds, less what has passed on the way.
            #expect(shadow.requests.allSatisfy { $0.headers["grpc-timeout"] != nil })
        }
    }

    @Test func `a shadow that hangs keeps nobody waiting, and what it cannot take is dropped`() async throws {
        let gate = AsyncStream<Void>.makeStream()
        let shadow = FakeModel { (_) throws(GRPCStatus) in
            for await _ in gate.stream {}
            throw GRPCStatus(.cancelled, "too late")
        }
        var limits = Shadows.Limits()
        limits.copies = 3
        try await Bench.run([.labelling(1), shadow], shadows: limits) { bench in
            // The shadow answers nothing until all of these are answered.
            bench.serve("tumour", weights: [100, 0], timeout: "60s", shadow: 1)
            for _ in 0..<50 { #expect(await bench.post(Self.path, Self.body).status == 200) }
            try await Self.until { shadow.requests.count == 3 }
            gate.continuation.finish()
        }
        #expect(shadow.requests.count == 3)
    }

    @Test func `bytes of copies are bounded, too`() async throws {
        let shadow = FakeModel.labelling(2)
        var limits = Shadows.Limits()
        limits.bytes = 100
        try await Bench.run([.labelling(1), shadow], shadows: limits) { bench in
            bench.serve("tumour", weights: [100, 0], shadow: 1)
            for _ in 0..<5 { #expect(await bench.post(Self.path, Self.body).status == 200) }
        }
        #expect(shadow.requests.isEmpty)
    }

    @Test func `a shadow that fails, or is not there, is nobody's trouble`() async throws {
        let shadow = FakeModel { (_) throws(GRPCStatus) in throw GRPCStatus(.internal, "ValueError") }
        try await Bench.run([.labelling(1), shadow]) { bench in
            bench.serve("tumour", weights: [100, 0], shadow: 1)
            for _ in 0..<3 { #expect(await bench.post(Self.path, Self.body).body == #"{"label":1}"#) }
            try await Self.until { shadow.requests.count == 3 }
            bench.feed.tell(Objects.slice("tumour-2", [("127.0.0.2", true)]))
            for _ in 0..<3 { #expect(await bench.post(Self.path, Self.body).body == #"{"label":1}"#) }
        }
    }

    @Test func `a share of the requests is drawn one by one`() throws {
        for percent in [1, 10, 50] {
            let variants = [Objects.variant("tumour-1"), Objects.variant("tumour-2", weight: 0, shadow: percent)]
            let state = RouteState(
                Objects.application("tumour", [Objects.stage("s", Objects.signature, variants)]), RouteSurroundings(pods: [:]))
            guard case .serving(let route) = state else {
                Issue.record("\(state)")
                return
            }
            let dice = Dice(seed: 7)
            let shadow = try #require(route.stages[0].shadows.first)
            let due = (0..<100_000).filter { _ in shadow.isDue(dice) }.count
            // Four standard deviations.
            let (wanted, share) = (Double(percent) * 1000, Double(percent) / 100)
            #expect(abs(Double(due) - wanted) < 4 * (100_000 * share * (1 - share)).squareRoot())
        }
    }

    @Test func `each stage's call is a span of its own in the caller's trace, and the answer tells ours`() async throws {
        let (model, shadow) = (FakeModel.labelling(1), FakeModel.labelling(2))
        try await Bench.run([model, shadow]) { bench in
            bench.serve("tumour", weights: [100, 0], shadow: 1)
            let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let answer = await bench.post(Self.path, Self.body, ["traceparent": given])
            try await Self.until { !shadow.requests.isEmpty }
            let texts = [given, answer.headers["traceparent"]] + [model, shadow].map { $0.requests.first?.headers["traceparent"] }
            let spans = texts.compactMap { $0.flatMap(TraceContext.init(header:)) }
            #expect(Set(spans.map(\.traceID)) == ["0af7651916cd43dd8448eb211c80319c"])
            #expect(Set(spans.map(\.parentID)).count == 4)
            #expect(spans.map(\.isSampled) == [true, true, true, true])
            let fresh = await bench.post(Self.path, Self.body)
            let made = try #require(fresh.headers["traceparent"].flatMap(TraceContext.init(header:)))
            #expect(!made.isSampled)
            let passed = try #require(model.requests.last?.headers["traceparent"].flatMap(TraceContext.init(header:)))
            #expect(passed.traceID == made.traceID)
        }
    }
}
