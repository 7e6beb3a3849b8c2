// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore
import Protos
import SwiftProtobuf
import Testing
import Wire

@testable import Gateway

/// The Open Inference Protocol's table, through the real fronts.
struct OpenInferenceTests {
    static let asked = #"{"id":"7","inputs":[{"name":"features","datatype":"FP64","shape":[2],"data":[1,2]}]}"#

    /// Two versions of one model, of which the second has no weight.
    private static func withVersions(_ body: @Sendable (Bench) async throws -> Void) async throws {
        try await Bench.run([.labelling(1), .labelling(2)]) { bench in
            bench.serve("tumour", weights: [100, 0])
            try await body(bench)
        }
    }

    struct Page: CustomTestStringConvertible {
        var testDescription: String
        var method = "GET"
        var status = 200
        var body: String?
    }

    static let pages: [Page] = [
        Page(testDescription: "/v2/health/live", body: #"{"live":true}"#),
        Page(testDescription: "/v2/health/ready", body: #"{"ready":true}"#),
        Page(testDescription: "/v2", body: #"{"name":"hydro-gateway","version":"0.1.0","extensions":["binary_tensor_data","statistics"]}"#),
        Page(testDescription: "/v2/models/tumour/ready", body: #"{"name":"tumour","ready":true}"#),
        Page(testDescription: "/v2/models/tumour/versions/2/ready", body: #"{"name":"tumour","ready":true}"#),
        Page(
            testDescription: "/v2/models/tumour",
            body: #"{"name":"tumour","versions":["1","2"],"platform":"hydro","inputs":[{"name":"features","datatype":"FP64","shape":[2]}],"#
                + #""outputs":[{"name":"label","datatype":"INT64","shape":[]}]}"#),
        Page(
            testDescription: "/v2/repository/index", method: "POST",
            body:
                #"[{"name":"tumour","version":"1","state":"READY","reason":""},{"name":"tumour","version":"2","state":"READY","reason":""}]"#
        ),
        Page(testDescription: "/v2/models/tumour/versions/3", status: 404), Page(testDescription: "/v2/models/nobody", status: 404),
        Page(testDescription: "/v2/models/nobody/ready", status: 404), Page(testDescription: "/v2/models/tumour/versions/one", status: 400),
        Page(testDescription: "/v2/models/tumour", method: "DELETE", status: 405),
        Page(testDescription: "/v2/repository/index", status: 405),
        Page(testDescription: "/v2/models/tumour/infer", status: 405),
        Page(testDescription: "/v2/repository/models/tumour/load", method: "POST", status: 501),
        Page(testDescription: "/v2/models/tumour/config", status: 501), Page(testDescription: "/v2/systemsharedmemory/status", status: 501),
        Page(testDescription: "/v2/elsewhere", status: 404),
    ]

    @Test(arguments: pages) func `each question has its answer`(page: Page) async throws {
        try await Self.withVersions { bench in
            let answer = await bench.http.respond(to: WireRequest(method: page.method, path: page.testDescription))
            let body = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == page.status)
            #expect(answer.headers["content-type"] == "application/json")
            if let wanted = page.body { #expect(body == wanted) } else { #expect(body.hasPrefix(#"{"error":""#)) }
        }
    }

    @Test(arguments: [
        ("/v2/models/tumour/infer", "1"), ("/v2/models/tumour/versions/1/infer", "1"), ("/v2/models/tumour/versions/2/infer", "2"),
    ])
    func `a version is chosen by the path, and told`(path: String, version: String) async throws {
        try await Self.withVersions { bench in
            let answer = await bench.post(path, Self.asked)
            #expect(
                answer.body == #"{"model_name":"tumour","model_version":"\#(version)","id":"7","outputs":[{"name":"label","#
                    + #""shape":[],"datatype":"INT64","data":[\#(version)]}]}"#)
            #expect(answer.headers["x-request-id"] != nil)
        }
    }

    @Test func `binary tensors go in and out beside the JSON`() async throws {
        try await Bench.run([.labelling(3)]) { bench in
            bench.serve("tumour", weights: [100])
            let json =
                #"{"parameters":{"binary_data_output":true},"inputs":[{"name":"features","datatype":"FP64","shape":[2],"#
                + #""parameters":{"binary_data_size":16}}]}"#
            let values: [Double] = [1, 2]
            let body = Array(json.utf8) + values.withUnsafeBytes { Array($0) }
            let answer = await bench.http.respond(
                to: WireRequest(
                    method: "POST", path: "/v2/models/tumour/infer", headers: ["inference-header-content-length": "\(json.utf8.count)"],
                    body: body))
            let length = try #require(answer.headers["inference-header-content-length"].flatMap { Int($0) })
            #expect(answer.headers["content-type"] == "application/octet-stream")
            #expect(Array(answer.body[length...]) == [3, 0, 0, 0, 0, 0, 0, 0])
        }
    }

    @Test func `an application goes before a servable of its name, which answers alone`() async throws {
        try await Bench.run([.labelling(1), .labelling(9)]) { bench in
            let servable = Objects.servable("tumour", port: bench.ports[1])
            bench.feed.tell(servable, at: servable.key)
            bench.feed.tell(Objects.slice("tumour", [("127.0.0.1", true)]))
            #expect(await bench.post("/v2/models/tumour/infer", Self.asked).body.contains(#""data":[9]"#))
            bench.serve("tumour", weights: [100])
            #expect(await bench.post("/v2/models/tumour/infer", Self.asked).body.contains(#""data":[1]"#))
        }
    }

    @Test func `who has no pods is not ready`() async throws {
        try await Bench.run([.labelling(1)]) { bench in
            bench.serve("tumour", weights: [100])
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.1", false)]))
            let answer = await bench.http.respond(to: WireRequest(path: "/v2/models/tumour/ready"))
            #expect(answer.status == 503)
            #expect(String(decoding: answer.body, as: UTF8.self) == #"{"name":"tumour","ready":false}"#)
        }
    }

    @Test(arguments: [false, true]) func `OpenAPI asks for a token where predictions want one`(isGuarded: Bool) async throws {
        try await Bench.run([.labelling(1)]) { bench in
            var application = Objects.application("tumour", [Objects.stage("stage-0", Objects.signature, [Objects.variant("tumour-1")])])
            if isGuarded {
                var access = Application.Access()
                access.tokenReview = Application.Access.TokenReview()
                application.status.activeRoute?.access = access
            }
            bench.tell(application)
            let answer = await bench.http.respond(to: WireRequest(path: "/openapi/tumour.json"))
            let body = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == 200)
            #expect(body.contains(#""security":[{"bearer":[]}]"#) == isGuarded)
            #expect(body.contains(#""securitySchemes":{"bearer""#) == isGuarded)
            // Nothing is unpacked for who may not ask.
            let bomb = ContentCoding.gzip.packed([UInt8](repeating: 0, count: 60 << 20))
            let refused = await bench.http.respond(
                to: WireRequest(
                    method: "POST", path: "/v2/models/tumour/infer", headers: ["content-encoding": "gzip"], body: bomb))
            #expect(refused.status == (isGuarded ? 401 : 413))
        }
    }

    @Test func `the server's own refusals are worded for the path`() throws {
        let core = FrontCore(
            table: RoutingTable(), pipeline: Pipeline(upstreams: GRPCUpstreams(loops: try WireLoops(count: 1))), logger: Bench.silence)
        for (path, body) in [
            ("/v2/models/m/infer", #"{"error":"too long"}"#),
            ("/gateway/application/m", #"{"error":"RequestTooLarge","information":"too long"}"#),
            ("", #"{"error":"RequestTooLarge","information":"too long"}"#),
        ] {
            let refusal = HTTPFront(core).refusal(status: 413, reason: "too long", path: path)
            #expect(refusal.status == 413)
            #expect(String(decoding: refusal.body, as: UTF8.self) == body)
        }
    }
}

/// Callers over gRPC.
struct GRPCFrontTests {
    private static func call(
        _ bench: Bench, _ path: String, _ message: [UInt8], _ metadata: WireHeaders = [:]
    ) async throws(UpstreamError) -> GRPCReply {
        try await bench.client.unary(
            to: SocketAddress("127.0.0.1", bench.grpcPort), path: path, metadata: metadata, message: message, deadline: .now + .seconds(5))
    }

    private static func refusal(_ bench: Bench, _ path: String, _ message: [UInt8] = []) async -> GRPCCode? {
        do throws(UpstreamError) { _ = try await call(bench, path, message) } catch {
            if case .refused(let status) = error { return status.code }
        }
        return nil
    }

    @Test func `Open Inference answers raw to raw, typed to typed, with the version`() async throws {
        try await Bench.run([.labelling(1), .labelling(2)]) { bench in
            bench.serve("tumour", weights: [0, 100])
            var asked = InferRequest(model: "tumour", id: "7", inputs: WireTensors(PredictionTests.inputs))
            for (version, wanted) in [("", "2"), ("1", "1")] {
                asked.version = version
                let reply = try await Self.call(bench, InferenceService.infer, try asked.message())
                let response = try InferResponse(scanning: reply.message)
                #expect(response.model == "tumour" && response.version == wanted && response.id == "7")
                #expect(try response.outputs.tensors() == ["label": Tensor(.int64, .scalar, .int64([Int64(wanted) ?? 0]))])
            }
            asked.version = "5"
            #expect(await Self.refusal(bench, InferenceService.infer, try asked.message()) == .notFound)
            asked.version = ""
            asked.outputs = [RequestedOutput("colour")]
            #expect(await Self.refusal(bench, InferenceService.infer, try asked.message()) == .invalidArgument)
        }
    }

    @Test func `TensorFlow's callers are told who answered`() async throws {
        try await Bench.run([.labelling(1), .labelling(2)]) { bench in
            bench.serve("tumour", weights: [0, 100])
            for (version, wanted) in [(nil, 2), (1, 1)] as [(Int64?, Int64)] {
                let asked = TensorFlowRequest(
                    model: ModelSpec(name: "tumour", version: version), inputs: WireTensors(PredictionTests.inputs))
                let reply = try await Self.call(bench, "/tensorflow.serving.PredictionService/Predict", try asked.message())
                let response = try TensorFlowResponse(scanning: reply.message)
                #expect(response.model == ModelSpec(name: "tumour", version: wanted, signature: "predict"))
                #expect(try response.outputs.tensors() == ["label": Tensor(.int64, .scalar, .int64([wanted]))])
            }
        }
    }

    @Test func `methods that nobody has are unimplemented`() async throws {
        try await Bench.run([]) { bench in
            for path in [
                "/tensorflow.serving.PredictionService/GetModelMetadata", "/inference.GRPCInferenceService/ModelConfig",
                "/inference.GRPCInferenceService/RepositoryModelLoad", "/inference.GRPCInferenceService/Nothing", "/a.B/C",
            ] { #expect(await Self.refusal(bench, path) == .unimplemented) }
            #expect(await Self.refusal(bench, "/inference.GRPCInferenceService/ModelMetadata") == .notFound)
        }
    }

    @Test func `reflection tells files by name and by symbol, and what it does not know`() throws {
        func ask(_ change: (inout Grpc_Reflection_V1_ServerReflectionRequest) -> Void) throws -> Grpc_Reflection_V1_ServerReflectionResponse
        {
            var asked = Grpc_Reflection_V1_ServerReflectionRequest()
            change(&asked)
            return try Grpc_Reflection_V1_ServerReflectionResponse(
                serializedBytes: try ReflectionService.reply(to: try asked.serializedBytes() as [UInt8]))
        }
        let listed = try ask { $0.listServices = "" }.listServicesResponse.service.map(\.name)
        #expect(listed == ReflectionService.services)
        for service in listed {
            #expect(try ask { $0.fileContainingSymbol = service }.fileDescriptorResponse.fileDescriptorProto.isEmpty == false)
        }
        #expect(try ask { $0.fileByFilename = "a.proto" }.errorResponse.errorCode == 5)
        #expect(try ask { _ in }.errorResponse.errorCode == 3)
        #expect(throws: GRPCStatus.self) { try ReflectionService.reply(to: [0xff]) }
    }
}
