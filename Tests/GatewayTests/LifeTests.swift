// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import JSON
import KubeClient
import KubeCore
import LoopbackTesting
import ServiceLifecycle
import Synchronization
import Telemetry
import Testing
import Wire

@testable import Gateway

/// What becomes routes, from the API server on.
struct RoutingWatchTests {
    private static func list(_ items: [[UInt8]]) -> LoopbackAnswer {
        let bodies = items.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
        return .json(#"{"metadata":{"resourceVersion":"5"},"items":[\#(bodies)]}"#)
    }

    /// An API server of the age of 1.20: EndpointSlices are v1beta1, and the Application changes when the gate opens.
    private static func answer(_ request: LoopbackRequest, late: Gate) -> LoopbackAnswer {
        var application = Objects.application("tumour", [Objects.stage("s", Objects.signature, [Objects.variant("tumour-1")])])
        application.metadata.uid = "u"
        application.metadata.resourceVersion = "5"
        let route = application.status.activeRoute
        application.status.activeRoute = nil
        let slice = Objects.slice("tumour-1", [("10.0.0.1", true)])
        let path = request.target.split(separator: "?").first.map(String.init) ?? ""
        let isWatch = request.target.contains("watch=1")
        switch path {
        case "/apis/discovery.k8s.io/v1beta1":
            return .json(#"{"kind":"APIResourceList","resources":[{"name":"endpointslices","kind":"EndpointSlice","namespaced":true}]}"#)
        case "/apis/hydrosphere.io/v1alpha1/applications" where isWatch:
            application.metadata.resourceVersion = "6"
            application.status.activeRoute = route
            let event = #"{"type":"MODIFIED","object":\#(String(decoding: application.json(), as: UTF8.self))}"# + "\n"
            return .chunked([.wait(late), .text(event), .hang])
        case "/apis/hydrosphere.io/v1alpha1/applications": return list([application.json()])
        case "/apis/hydrosphere.io/v1alpha1/servables" where !isWatch: return list([])
        case "/apis/discovery.k8s.io/v1beta1/endpointslices" where !isWatch:
            return list([slice.json(as: EndpointSlice.kind.at(version: "v1beta1"))])
        case _ where isWatch: return .chunked([.hang])
        default: return .json(404, #"{"kind":"Status","status":"Failure","reason":"NotFound","message":"no","code":404}"#)
        }
    }

    @Test func `an old server's objects become routes, and the gateway is ready after the first lists`() async throws {
        let late = Gate()
        let server = try LoopbackServer { Self.answer($0, late: late) }
        let client = ClusterClient(ClusterConfig(server: server.url()), logger: Bench.silence)
        defer {
            client.shutdown()
            server.stop()
        }
        let table = RoutingTable()
        let watch = RoutingWatch(
            client: client, namespaces: [], feed: RoutingFeed(into: table, logger: Bench.silence), logger: Bench.silence)
        #expect(watch.missing == ["applications", "servables", "endpoint slices"])
        let target = RouteTarget(.application, ObjectKey("default", "tumour"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            try await eventually { watch.missing.isEmpty }
            #expect(throws: PredictionError.notReady(target, "no route has been published yet")) { try table.route(to: target) }
            late.open()
            try await eventually { if case .serving = table.state(of: target) { true } else { false } }
            #expect(try table.route(to: target).stages[0].variants[0].pods.all.map(\.ip) == ["10.0.0.1"])
            group.cancelAll()
        }
    }

    struct TooLate: Error {}

    /// Looks every few milliseconds: what is waited for happens on threads of others.
    private func eventually(_ holds: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while !holds() {
            guard .now < deadline else { throw TooLate() }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// How the gateway leaves.
struct FrontServiceTests {
    /// Answers when it is let.
    private final class SlowHandler: WireHandler {
        let arrived = AsyncStream<Void>.makeStream()
        let leave = AsyncStream<Void>.makeStream()

        func respond(to request: WireRequest) async -> WireResponse {
            arrived.continuation.finish()
            for await _ in leave.stream {}
            return .grpc(message: [1])
        }
    }

    @Test func `on shutdown the gateway is unready at once, and a request in flight is answered`() async throws {
        let loops = try WireLoops(count: 1)
        let handler = SlowHandler()
        let server = WireServer(address: "127.0.0.1", port: 0, loops: loops, handler: handler, logger: Bench.silence)
        try server.bind()
        let health = Health([])
        let fronts = FrontService([server], health: health, drainDelay: .zero, drainTimeout: .seconds(10), logger: Bench.silence)
        let group = ServiceGroup(services: [fronts], logger: Bench.silence)
        let client = GRPCUpstreams(loops: try WireLoops(count: 1))
        let address = SocketAddress("127.0.0.1", server.port)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                let reply = try await client.unary(to: address, path: "/x", message: [], deadline: .now + .seconds(10))
                #expect(Array(reply.message) == [1])
            }
            for await _ in handler.arrived.stream {}
            #expect(health.report(.ready).isPassing)
            await group.triggerGracefulShutdown()
            while health.report(.ready).isPassing { await Task.yield() }
            handler.leave.continuation.finish()
            try await tasks.waitForAll()
        }
        await #expect(throws: UpstreamError.self) {
            try await GRPCUpstreams(loops: loops).unary(to: address, path: "/x", message: [], deadline: .now + .seconds(2))
        }
    }

    @Test func `the admin port tells health, readiness and metrics, and nothing else`() async throws {
        let loops = try WireLoops(count: 1)
        let isReady = Atomic(false)
        let health = Health([Health.Check("watches", .ready) { isReady.load(ordering: .relaxed) ? .passing : .failing("not listed yet") }])
        let front = AdminFront(
            health: health, metrics: MetricsRegistry(), gauges: WireGauges(servers: [], upstreams: GRPCUpstreams(loops: loops)),
            routing: RoutingGauges(of: RoutingTable()), kafka: KafkaBoard())
        func status(_ path: String, _ method: String = "GET") async -> Int {
            await front.respond(to: WireRequest(method: method, path: path)).status
        }
        #expect(await status("/healthz") == 200)
        #expect(await status("/readyz") == 503)
        isReady.store(true, ordering: .relaxed)
        #expect(await status("/readyz") == 200)
        #expect(await status("/metrics") == 200)
        #expect(await status("/other") == 404)
        #expect(await status("/healthz", "POST") == 405)
    }
}
