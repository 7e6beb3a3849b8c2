// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore
import Logging
import Protos
import Synchronization
import Testing
import Wire

@testable import Gateway

/// A model's pod: a real gRPC server whose answers are made by a closure.
final class FakeModel: WireHandler {
    typealias Answer = @Sendable ([String: Tensor]) async throws(GRPCStatus) -> [String: Tensor]

    private let answer: Answer
    private let dialect: Dialect
    private let calls = Mutex<[WireRequest]>([])

    init(speaking dialect: Dialect = .hydrosphere, _ answer: @escaping Answer) {
        self.dialect = dialect
        self.answer = answer
    }

    /// Answers every request with one number.
    static func labelling(_ label: Int64) -> FakeModel {
        FakeModel { (_) throws(GRPCStatus) in ["label": Tensor(.int64, .scalar, .int64([label]))] }
    }

    var requests: [WireRequest] { calls.withLock { $0 } }

    func respond(to request: WireRequest) async -> WireResponse {
        calls.withLock { $0.append(request) }
        do throws(GRPCStatus) {
            guard request.path == dialect.path else { throw GRPCStatus(.unimplemented, request.path) }
            let outputs = try await answer(try inputs(of: try request.grpcMessage()))
            return .grpc(message: try reply(with: outputs))
        } catch { return .grpc(status: error) }
    }

    private func inputs(of message: ArraySlice<UInt8>) throws(GRPCStatus) -> [String: Tensor] {
        do {
            return switch dialect {
            case .hydrosphere: try WireTensors(scanning: message).tensors()
            case .tensorflow: try TensorFlowRequest(scanning: message).inputs.tensors()
            case .openInference: try InferRequest(scanning: message).inputs.tensors()
            }
        } catch { throw GRPCStatus(.outOfRange, "\(error)") }
    }

    private func reply(with outputs: [String: Tensor]) throws(GRPCStatus) -> [UInt8] {
        let outputs = WireTensors(outputs)
        do {
            return switch dialect {
            case .hydrosphere: try outputs.message()
            case .tensorflow: try TensorFlowResponse(model: ModelSpec(), outputs: outputs).message()
            case .openInference: try InferResponse(parameters: InferParameters([("took", .int(3))]), outputs: outputs).message()
            }
        } catch { throw GRPCStatus(.outOfRange, "\(error)") }
    }
}

/// A gateway with its fronts on loopback, and as many models as a test wants.
struct Bench: Sendable {
    let table: RoutingTable
    let feed: RoutingFeed
    let http: HTTPFront
    let grpcPort: Int
    let httpPort: Int
    let ports: [Int]
    let client: GRPCUpstreams

    static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs the body beside the models and the gateway; everything ends with it.
    static func run(
        _ models: [FakeModel], tap: Tap? = nil, shadows limits: Shadows.Limits = Shadows.Limits(),
        _ body: @Sendable (Bench) async throws -> Void
    ) async throws {
        let loops = try WireLoops(count: 1)
        let logger = Self.silence
        let servers = models.map { WireServer(address: "127.0.0.1", port: 0, loops: loops, handler: $0, logger: logger) }
        for server in servers { try server.bind() }
        var settings = Pipeline.Settings()
        settings.patience = .milliseconds(300)
        let table = RoutingTable()
        let dice = Dice(seed: 42)
        let upstreams = GRPCUpstreams(loops: loops)
        let prober = PodProber(over: upstreams, dice: dice, first: .milliseconds(20), logger: logger)
        let shadows = Shadows(on: loops, limits: limits)
        let core = FrontCore(
            table: table,
            pipeline: Pipeline(upstreams: upstreams, dice: dice, settings: settings, tap: tap, shadows: shadows, prober: prober),
            dice: dice,
            logger: logger)
        let http = HTTPFront(core)
        let httpServer = WireServer(address: "127.0.0.1", port: 0, loops: loops, handler: http, logger: logger)
        let grpcServer = WireServer(address: "127.0.0.1", port: 0, loops: loops, handler: GRPCFront(core), logger: logger)
        try httpServer.bind()
        try grpcServer.bind()
        let bench = Bench(
            table: table, feed: RoutingFeed(into: table, logger: logger), http: http, grpcPort: grpcServer.port, httpPort: httpServer.port,
            ports: servers.map(\.port),
            client: GRPCUpstreams(loops: loops))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in servers + [httpServer, grpcServer] { group.addTask { try await server.run() } }
            group.addTask { try await shadows.run() }
            group.addTask { try await prober.run() }
            try await body(bench)
            group.cancelAll()
        }
    }

    /// An application of one stage whose variants are the models in order, each with one pod.
    func serve(_ name: String, weights: [Int], timeout: String = "5s", sticky: String? = nil, shadow: Int? = nil) {
        let variants = weights.enumerated().map { place, weight in
            Objects.variant("\(name)-\(place + 1)", weight: weight, port: ports[place], shadow: place == shadow ? 100 : nil)
        }
        tell(Objects.application(name, [Objects.stage("stage-0", Objects.signature, variants)], timeout: timeout, sticky: sticky))
        for variant in variants { feed.tell(Objects.slice(variant.service, [("127.0.0.1", true)])) }
    }

    func tell(_ application: Application) { feed.tell(application, at: application.key) }

    func post(_ path: String, _ json: String, _ headers: WireHeaders = [:]) async -> (status: Int, body: String, headers: WireHeaders) {
        let answer = await http.respond(to: WireRequest(method: "POST", path: path, headers: headers, body: Array(json.utf8)))
        return (answer.status, String(decoding: answer.body, as: UTF8.self), answer.headers)
    }

    func call(
        _ method: String, _ name: String, _ tensors: [String: Tensor], _ metadata: WireHeaders = [:], within: Duration = .seconds(5)
    ) async throws(UpstreamError) -> GRPCReply {
        let message: [UInt8]
        do { message = try GatewayRequest(name: name, tensors: WireTensors(tensors)).message() } catch { throw .lost("\(error)") }
        return try await client.unary(
            to: SocketAddress("127.0.0.1", grpcPort), path: "/hydrosphere.serving.gateway.GatewayService/\(method)", metadata: metadata,
            message: message, deadline: .now + within)
    }
}
