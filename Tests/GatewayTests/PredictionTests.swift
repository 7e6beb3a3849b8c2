// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Glibc
import HydroAPI
import KubeCore
import Protos
import Testing
import Wire

@testable import Gateway

/// Predictions through the real fronts to real gRPC servers.
struct PredictionTests {
    static let inputs: [String: Tensor] = ["features": Tensor(.double, [2], .double([1, 2]))]

    @Test func `JSON goes in, the model sees tensors, JSON comes out`() async throws {
        let model = FakeModel { (inputs) throws(GRPCStatus) in
            guard case .double(let values)? = inputs["features"]?.elements else { throw GRPCStatus(.invalidArgument, "no features") }
            return ["label": Tensor(.int64, .scalar, .int64([Int64(values.reduce(0, +))])), "extra": Tensor(.bool, .scalar, .bool([true]))]
        }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100])
            let answer = await bench.post("/gateway/application/tumour", #"{"features": [40, 2.0]}"#)
            #expect(answer.status == 200)
            #expect(answer.body == #"{"label":42}"#)
            #expect(answer.headers["content-type"] == "application/json")
        }
    }

    @Test func `a request over a socket is answered like any other`() async throws {
        try await Bench.run([.labelling(7)]) { bench in
            bench.serve("tumour", weights: [100])
            let body = #"{"features":[1,2]}"#
            let text = try Loopback.exchange(
                port: bench.httpPort,
                "POST /gateway/application/tumour HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-request-id: abc\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.contains("x-request-id: abc\r\n"))
            #expect(text.hasSuffix("\r\n\r\n{\"label\":7}"))
        }
    }

    @Test func `gRPC callers reach applications and servables`() async throws {
        let model = FakeModel.labelling(3)
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100])
            let servable = Objects.servable("tumour-1", port: bench.ports[0])
            bench.feed.tell(servable, at: servable.key)
            for (method, name) in [
                ("PredictApplication", "tumour"), ("PredictServable", "tumour-1"), ("ShadowlessPredictServable", "tumour-1"),
            ] {
                let reply = try await bench.call(method, name, Self.inputs, ["x-request-id": "r1"])
                #expect(try WireTensors(scanning: reply.message).tensors() == ["label": Tensor(.int64, .scalar, .int64([3]))])
                #expect(reply.metadata["x-request-id"] == "r1")
            }
            #expect(model.requests.allSatisfy { $0.headers["x-request-id"] == "r1" })
        }
    }

    @Test func `every violation of a request comes back at once, and no model is asked`() async throws {
        let model = FakeModel.labelling(3)
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100])
            let answer = await bench.post("/gateway/application/tumour", #"{"features": "x", "age": 3}"#)
            #expect(answer.status == 400)
            #expect(
                answer.body
                    == #"{"error":"ContractViolationError","information":"field \"features\" wants double [2], got a string; "#
                    + #"field \"age\" is not declared; declared are \"features\""}"#)
            var wrong = Self.inputs
            wrong["features"]?.shape = [3]
            wrong["more"] = Tensor(.bool, .scalar, .bool([true]))
            await #expect(
                throws: UpstreamError.refused(
                    GRPCStatus(
                        .invalidArgument,
                        #"field "features" wants double [2], got double [3]; field "more" is not declared; declared are "features""#))
            ) { try await bench.call("PredictApplication", "tumour", wrong) }
            #expect(model.requests.isEmpty)
        }
    }

    struct Mistake: CustomTestStringConvertible {
        var testDescription: String
        var path = "/gateway/application/tumour"
        var json = #"{"features": [1, 2]}"#
        var headers: WireHeaders = [:]
        var status: Int
        var part: String
    }

    static let mistakes: [Mistake] = [
        .init(
            testDescription: "unknown application", path: "/gateway/application/nobody", status: 404,
            part: #"found none named \"default/nobody\""#),
        .init(testDescription: "other namespace", path: "/namespaces/team/gateway/application/tumour", status: 404, part: "team/tumour"),
        .init(testDescription: "unknown servable", path: "/gateway/servable/x", status: 404, part: "an existing servable"),
        .init(testDescription: "unknown path", path: "/predict", status: 404, part: "wanted /gateway/application/{name}"),
        .init(testDescription: "no JSON", json: "features", status: 400, part: "wants one JSON object"),
        .init(testDescription: "a list", json: "[1,2]", status: 400, part: "wants one JSON object"),
        .init(testDescription: "too few", json: #"{"features":[1]}"#, status: 400, part: "got lists of shape [1]"),
        .init(testDescription: "nothing", json: "{}", status: 400, part: "got nothing"),
        .init(testDescription: "a bad timeout", headers: ["x-request-timeout": "soon"], status: 400, part: "x-request-timeout"),
    ]

    @Test(arguments: mistakes) func `an ordinary mistake is told apart`(mistake: Mistake) async throws {
        try await Bench.run([.labelling(1)]) { bench in
            bench.serve("tumour", weights: [100])
            let answer = await bench.post(mistake.path, mistake.json, mistake.headers)
            #expect(answer.status == mistake.status)
            #expect(answer.body.contains(mistake.part), "\(answer.body)")
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.headers["x-request-id"] != nil)
        }
    }

    @Test func `a wrong method is not a prediction`() async throws {
        try await Bench.run([.labelling(1)]) { bench in
            bench.serve("tumour", weights: [100])
            let answer = await bench.http.respond(to: WireRequest(method: "GET", path: "/gateway/application/tumour"))
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "POST")
            await #expect(throws: UpstreamError.self) { try await bench.call("Predict", "tumour", Self.inputs) }
        }
    }

    @Test func `a model's own error comes back with its text`() async throws {
        let model = FakeModel { (_) throws(GRPCStatus) in throw GRPCStatus(.internal, "ValueError: é") }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100])
            let answer = await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            #expect(answer.status == 500)
            #expect(answer.body == #"{"error":"InternalServerError","information":"model \"tumour:1\" failed: ValueError: é"}"#)
            #expect(model.requests.count == 1)
        }
    }

    @Test func `a model that breaks its own signature is not the caller's fault`() async throws {
        let model = FakeModel { (_) throws(GRPCStatus) in ["label": Tensor(.double, .scalar, .double([1]))] }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100])
            let answer = await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            #expect(answer.status == 502)
            #expect(answer.body.contains(#"model \"tumour:1\" broke its signature: field \"label\" wants int64 scalar, got double scalar"#))
        }
    }

    @Test func `the application's deadline goes along and is kept`() async throws {
        let model = FakeModel { (_) throws(GRPCStatus) in
            do { try await Task.sleep(for: .seconds(60)) } catch { throw GRPCStatus(.cancelled, "cancelled") }
            return [:]
        }
        try await Bench.run([model]) { bench in
            bench.serve("tumour", weights: [100], timeout: "100ms")
            let answer = await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            #expect(answer.status == 504)
            #expect(answer.body.contains("deadline exceeded after 100ms"))
            let sooner = await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#, ["x-request-timeout": "50ms"])
            #expect(sooner.body.contains("deadline exceeded after 50ms"))
            #expect(model.requests.first?.headers["grpc-timeout"] != nil)
        }
    }
}

/// Which variant and which pod gets a request.
struct RoutingOfRequestsTests {
    private func labels(_ count: Int, from bench: Bench, _ headers: WireHeaders = [:]) async -> [String: Int] {
        var labels: [String: Int] = [:]
        for _ in 0..<count {
            labels[await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#, headers).body, default: 0] += 1
        }
        return labels
    }

    @Test func `weights are kept, and a change takes effect with the next request`() async throws {
        try await Bench.run([.labelling(1), .labelling(2)]) { bench in
            bench.serve("tumour", weights: [90, 10])
            let first = await labels(300, from: bench)
            #expect((250...288).contains(first[#"{"label":1}"#] ?? 0))
            bench.serve("tumour", weights: [0, 100])
            #expect(await labels(20, from: bench) == [#"{"label":2}"#: 20])
        }
    }

    @Test func `the same sticky value gets the same variant`() async throws {
        try await Bench.run([.labelling(1), .labelling(2)]) { bench in
            bench.serve("tumour", weights: [50, 50], sticky: "X-User-Id")
            for user in 0..<5 { #expect(await labels(5, from: bench, ["x-user-id": "user-\(user)"]).count == 1) }
        }
    }

    @Test func `a pod that refuses connections costs no request`() async throws {
        try await Bench.run([.labelling(1)]) { bench in
            bench.serve("tumour", weights: [100])
            // Nobody listens on the port at the second address.
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.2", true), ("127.0.0.1", true)]))
            #expect(await labels(20, from: bench) == [#"{"label":1}"#: 20])
        }
    }

    @Test func `without a pod that takes it, a request fails and says so`() async throws {
        try await Bench.run([.labelling(1)]) { bench in
            bench.serve("tumour", weights: [100])
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.1", false)]))
            let none = await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            #expect(none.status == 503)
            #expect(none.body.contains("no pod of model \\\"tumour:1\\\" took the request: it has no ready pods"))
            await #expect(
                throws: UpstreamError.refused(
                    GRPCStatus(.unavailable, #"no pod of model "tumour:1" took the request: it has no ready pods"#))
            ) {
                try await bench.call("PredictApplication", "tumour", PredictionTests.inputs)
            }
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.2", true)]))
            let refused = await bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            #expect(refused.status == 503)
            #expect(refused.body.contains("pod 127.0.0.2"))
        }
    }

    @Test func `a route whose pods are told a moment later loses no request`() async throws {
        try await Bench.run([.labelling(1)]) { bench in
            bench.serve("tumour", weights: [100])
            bench.feed.tell(Objects.slice("tumour-1", []))
            async let answer = bench.post("/gateway/application/tumour", #"{"features":[1,2]}"#)
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.1", true)]))
            #expect(await answer.status == 200)
        }
    }
}

/// Applications of several stages.
struct StagesTests {
    let raw = Field("raw", .double, [2])
    let clean = Field("clean", .double, [-1])
    let age = Field("age", .int64, .scalar)
    let score = Field("score", .double, .scalar)

    private func serve(_ bench: Bench) {
        let first = Signature(inputs: [raw], outputs: [clean])
        let second = Signature(inputs: [clean, age], outputs: [score])
        bench.tell(
            Objects.application(
                "claims",
                [
                    Objects.stage("clean", first, [Objects.variant("cleaner-1", port: bench.ports[0])]),
                    Objects.stage("score", second, [Objects.variant("scorer-2", port: bench.ports[1])]),
                ], signature: Signature(inputs: [raw, age], outputs: [score])))
        for service in ["cleaner-1", "scorer-2"] { bench.feed.tell(Objects.slice(service, [("127.0.0.1", true)])) }
    }

    private let cleaner = FakeModel { (inputs) throws(GRPCStatus) in
        guard inputs.count == 1, case .double(let values)? = inputs["raw"]?.elements else {
            throw GRPCStatus(.invalidArgument, "\(inputs.keys)")
        }
        return ["clean": Tensor(.double, [2], .double(values.map { $0 / 10 })), "noise": Tensor(.bool, .scalar, .bool([true]))]
    }

    @Test func `a stage gets what the one before made, and what it alone wants from the request`() async throws {
        let scorer = FakeModel { (inputs) throws(GRPCStatus) in
            guard inputs.keys.sorted() == ["age", "clean"], case .double(let values)? = inputs["clean"]?.elements,
                case .int64(let age)? = inputs["age"]?.elements
            else { throw GRPCStatus(.invalidArgument, "\(inputs.keys)") }
            return ["score": Tensor(.double, .scalar, .double([values.reduce(0, +) + Double(age[0])]))]
        }
        try await Bench.run([cleaner, scorer]) { bench in
            serve(bench)
            let answer = await bench.post("/gateway/application/claims", #"{"raw":[10,20],"age":30}"#)
            #expect(answer.body == #"{"score":33.0}"#)
            let reply = try await bench.call(
                "PredictApplication", "claims",
                ["raw": Tensor(.double, [2], .double([10, 20])), "age": Tensor(.int64, .scalar, .int64([1]))])
            #expect(try WireTensors(scanning: reply.message).tensors() == ["score": Tensor(.double, .scalar, .double([4]))])
        }
    }

    @Test func `the later stage's failure names the later model`() async throws {
        let scorer = FakeModel { (_) throws(GRPCStatus) in throw GRPCStatus(.invalidArgument, "no such claim") }
        try await Bench.run([cleaner, scorer]) { bench in
            serve(bench)
            let answer = await bench.post("/gateway/application/claims", #"{"raw":[10,20],"age":30}"#)
            #expect(answer.status == 400)
            #expect(answer.body.contains(#"model \"scorer:2\" failed: no such claim"#))
        }
    }
}

/// One request over a blocking socket, for the path from byte to byte.
enum Loopback {
    struct Failure: Error {}

    static func exchange(port: Int, _ request: String) throws -> String {
        let descriptor = try send(request, to: port)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = recv(descriptor, &chunk, chunk.count, 0), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Closes the connection after the body, without having read an answer.
    static func abandon(port: Int, _ request: String, after body: () async throws -> Void) async throws {
        let descriptor = try send(request, to: port)
        defer { close(descriptor) }
        try await body()
    }

    private static func send(_ request: String, to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0, Glibc.send(descriptor, request, request.utf8.count, 0) == request.utf8.count else {
            close(descriptor)
            throw Failure()
        }
        return descriptor
    }
}
