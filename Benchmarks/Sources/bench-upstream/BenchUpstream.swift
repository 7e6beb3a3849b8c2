// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Logging
import Wire

/// A model that takes no time, for measuring what stands before it.
///
///     bench-upstream ADDRESS PORT SOCKET
///
/// One thread answers every request at once, with what it always answers. PORT is the model: twenty numbers in, one out.
/// PORT + 1 is a stage before it: twenty numbers in, twenty out. Both speak HTTP/1.1 and HTTP/2 with prior knowledge, and on
/// them the runtime's PredictionService, the Open Inference Protocol over gRPC, and JSON of either. SOCKET is a file whose listener
/// takes every gRPC message and says nothing, as a tap's reader does.
@main
enum BenchUpstream {
    static func main() async throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 3, let address = words.first, let path = words.last, let port = words.dropFirst().first.flatMap({ Int($0) })
        else {
            print("wanted ADDRESS PORT SOCKET, found \(words.count) words")
            return
        }
        let loops = try WireLoops(count: 1)
        var limits = WireLimits()
        limits.connections = 4096
        let logger = Logger(label: "bench-upstream")
        var servers = [CannedAnswers.model, .stage].enumerated().map { place, answers in
            WireServer(address: address, port: port + place, loops: loops, limits: limits, handler: answers, logger: logger)
        }
        let aside = try WireLoops(count: 1)
        servers.append(
            WireServer(at: SocketAddress(unix: path), loops: aside, limits: limits, handler: CannedAnswers.model, logger: logger))
        for server in servers { try server.bind() }
        print("listening")
        try await withThrowingDiscardingTaskGroup { group in
            for server in servers { group.addTask { try await server.run() } }
        }
    }
}

/// Answers, made once.
struct CannedAnswers: WireHandler {
    private let runtime: WireResponse
    private let openInference: WireResponse
    private let hydrosphereJSON: WireResponse
    private let openInferenceJSON: WireResponse

    static let model = CannedAnswers("score", [], [0.42])
    static let stage = CannedAnswers("x", [20], (0..<20).map { Double($0) + 0.25 })

    private init(_ output: String, _ shape: [Int], _ values: [Double]) {
        runtime = .grpc(message: TinyProto.predictResponse(output, shape, values))
        openInference = .grpc(message: TinyProto.modelInferResponse(output, shape, values))
        let list = "[" + values.map { "\($0)" }.joined(separator: ",") + "]"
        hydrosphereJSON = Self.json("{\"\(output)\":\(shape.isEmpty ? "\(values[0])" : list)}")
        openInferenceJSON = Self.json(
            """
            {"model_name":"bench","outputs":[{"name":"\(output)","datatype":"FP64","shape":[\(values.count)],"data":\(list)}]}
            """)
    }

    private static func json(_ text: String) -> WireResponse {
        WireResponse(headers: ["content-type": "application/json"], body: Array(text.utf8))
    }

    func respond(to request: WireRequest) async -> WireResponse {
        switch request.path {
        case "/hydrosphere.serving.runtime.PredictionService/Predict": runtime
        case "/hydrosphere.serving.gateway.GatewayService/PredictApplication": runtime
        case "/inference.GRPCInferenceService/ModelInfer": openInference
        case let path where path.hasPrefix("/v2/"): openInferenceJSON
        default: request.isGRPC ? .grpc(message: []) : hydrosphereJSON
        }
    }
}
