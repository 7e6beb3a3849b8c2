// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import Testing
import Wire

@testable import Gateway

/// How pods are left out and come back, over real sockets.
struct PodStandingTests {
    private static let path = "/gateway/application/tumour"
    private static let body = #"{"features":[1,2]}"#

    private static func until(_ holds: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while !holds() {
            try #require(.now < end)
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private func pods(_ bench: Bench) throws -> PodSet {
        let target = RouteTarget(.application, .init("default", "tumour"))
        return try bench.table.route(to: target).stages[0].variants[0].pods
    }

    @Test func `a pod that cannot be reached is left out at once, and comes back when it answers`() async throws {
        try await Bench.run([.labelling(1)]) { bench in
            bench.serve("tumour", weights: [100])
            // Nobody listens on the port at the second address.
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.2", true), ("127.0.0.1", true)]))
            let pods = try pods(bench)
            for _ in 0..<20 { #expect(await bench.post(Self.path, Self.body).status == 200) }
            #expect(pods.ejected == 1)
            #expect(pods.all[0].isEjected(at: PodClock.now))
            let loops = try WireLoops(count: 1)
            let late = FakeModel.labelling(2)
            let server = WireServer(address: "127.0.0.2", port: bench.ports[0], loops: loops, handler: late, logger: Bench.silence)
            try server.bind()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                try await Self.until { pods.ejected == 0 }
                // The prober asked, and no request was needed to find out.
                #expect(late.requests.allSatisfy { $0.path == "/grpc.health.v1.Health/Check" })
                group.cancelAll()
            }
        }
    }

    @Test func `a pod that says it is unavailable five times in a row is left out, beside a good one`() async throws {
        let bad = FakeModel { (_) throws(GRPCStatus) in throw GRPCStatus(.unavailable, "shutting down") }
        try await Bench.run([bad]) { bench in
            bench.serve("tumour", weights: [100])
            let loops = try WireLoops(count: 1)
            let server = WireServer(
                address: "127.0.0.2", port: bench.ports[0], loops: loops, handler: FakeModel.labelling(2), logger: Bench.silence)
            try server.bind()
            await withTaskGroup(of: Void.self) { group in
                // It ends by being cancelled.
                group.addTask { try? await server.run() }
                bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.1", true), ("127.0.0.2", true)]))
                var failed = 0
                for _ in 0..<100 where await bench.post(Self.path, Self.body).status != 200 { failed += 1 }
                #expect(failed >= 5 && failed < 40)
                group.cancelAll()
            }
        }
    }

    @Test func `a pod alone is never left out for what it answers`() async throws {
        let model = FakeModel { (_) throws(GRPCStatus) in throw GRPCStatus(.unavailable, "busy") }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100])
            for _ in 0..<10 { #expect(await bench.post(Self.path, Self.body).status == 503) }
            let ejected = try pods(bench).ejected
            #expect(ejected == 0)
            #expect(model.requests.count == 10)
        }
    }

    @Test func `a pod that goes gets no new request, and finishes the one it has`() async throws {
        let gate = AsyncStream<Void>.makeStream()
        let model = FakeModel { (_) throws(GRPCStatus) in
            for await _ in gate.stream {}
            return ["label": Tensor(.int64, .scalar, .int64([1]))]
        }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100])
            async let first = bench.post(Self.path, Self.body)
            try await Self.until { !model.requests.isEmpty }
            var leaving = Objects.slice("tumour-1", [("127.0.0.1", true)])
            leaving.endpoints[0].conditions.terminating = true
            bench.feed.tell(leaving)
            #expect(await bench.post(Self.path, Self.body).status == 503)
            gate.continuation.finish()
            #expect(await first.status == 200)
            #expect(model.requests.count == 1)
        }
    }

    @Test func `a caller who goes away takes the model's call and the place along`() async throws {
        let over = AsyncStream<Void>.makeStream()
        let model = FakeModel { (_) throws(GRPCStatus) in
            // Ends by cancellation alone.
            do { try await Task.sleep(for: .seconds(600)) } catch { over.continuation.finish() }
            return [:]
        }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100], timeout: "500s")
            let admission = try bench.table.route(to: RouteTarget(.application, .init("default", "tumour"))).admission
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await bench.call("PredictApplication", "tumour", PredictionTests.inputs, within: .seconds(500)) }
                try await Self.until { !model.requests.isEmpty }
                #expect(admission.inFlight == 1)
                // Cancelled, the caller's stream is reset.
                group.cancelAll()
            }
            for await _ in over.stream {}
            try await Self.until { admission.inFlight == 0 }
        }
    }

    @Test func `a connection that closes takes the model's call and the place along`() async throws {
        let over = AsyncStream<Void>.makeStream()
        let model = FakeModel { (_) throws(GRPCStatus) in
            do { try await Task.sleep(for: .seconds(600)) } catch { over.continuation.finish() }
            return [:]
        }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100], timeout: "500s")
            let admission = try bench.table.route(to: RouteTarget(.application, .init("default", "tumour"))).admission
            try await Loopback.abandon(
                port: bench.httpPort,
                "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(Self.body.utf8.count)\r\n\r\n\(Self.body)"
            ) { try await Self.until { !model.requests.isEmpty } }
            for await _ in over.stream {}
            try await Self.until { admission.inFlight == 0 }
        }
    }
}
