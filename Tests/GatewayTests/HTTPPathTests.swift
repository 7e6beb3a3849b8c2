// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Gateway

struct HTTPPathTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var namespace: String?
        var place: HTTPPath.Place?

        init(_ path: String, _ place: HTTPPath.Place?, in namespace: String? = nil) {
            testDescription = path
            self.place = place
            self.namespace = namespace
        }
    }

    static let cases: [Case] = [
        Case("/gateway/application/tumour", .predict(.application, name: "tumour")),
        Case("/gateway/servable/tumour-1", .predict(.servable, name: "tumour-1")),
        Case("/namespaces/team-a/gateway/application/x", .predict(.application, name: "x"), in: "team-a"),
        Case("/gateway/application/a%20b", .predict(.application, name: "a b")),
        Case("/gateway/application/x/generateInputs", .sample(.application, name: "x")),
        Case("/gateway/servable/x/generateInputs", .sample(.servable, name: "x")),
        Case("/gateway/application", .applications), Case("/gateway/application/", .applications),
        Case("/namespaces/a/gateway/application", .applications, in: "a"),
        Case("/gateway/buildinfo", .buildInfo), Case("/health", .health), Case("/openapi/x.json", .openAPI(name: "x")),
        Case("/v2", .openInference(.server)), Case("/v2/", .openInference(.server)),
        Case("/v2/health/live", .openInference(.live)), Case("/v2/health/ready", .openInference(.ready)),
        Case("/v2/models/m", .openInference(.model(name: "m", version: nil, .metadata))),
        Case("/v2/models/m/ready", .openInference(.model(name: "m", version: nil, .ready))),
        Case("/v2/models/m/infer", .openInference(.model(name: "m", version: nil, .infer))),
        Case("/v2/models/m/versions/3", .openInference(.model(name: "m", version: "3", .metadata))),
        Case("/v2/models/m/versions/3/infer", .openInference(.model(name: "m", version: "3", .infer))),
        Case("/v2/models/m/versions/3/ready", .openInference(.model(name: "m", version: "3", .ready))),
        Case("/v2/models/m/versions/3/stats", .openInference(.model(name: "m", version: "3", .stats))),
        Case("/v2/models/m/config", .openInference(.model(name: "m", version: nil, .config))),
        Case("/v2/models/stats", .openInference(.statistics)),
        Case("/v2/models/stats/infer", .openInference(.model(name: "stats", version: nil, .infer))),
        Case("/v2/repository/index", .openInference(.repositoryIndex)),
        Case("/v2/repository/models/m/load", .openInference(.repositoryModel(name: "m", verb: "load"))),
        Case("/v2/repository/models/m/unload", .openInference(.repositoryModel(name: "m", verb: "unload"))),
        Case("/v2/systemsharedmemory/region/r/register", .openInference(.foreign("systemsharedmemory"))),
        Case("/v2/models/m/trace/setting", .openInference(.foreign("trace"))), Case("/v2/logging", .openInference(.foreign("logging"))),
        Case("/namespaces/t/v2/models/m/infer", .openInference(.model(name: "m", version: nil, .infer)), in: "t"),
        Case("/gateway/application/a%2", nil), Case("/gateway/application/%ff", nil), Case("/gateway/application/a/b", nil),
        Case("/gateway/model/a", nil), Case("/gateway", nil), Case("/gatewayx/application/a", nil),
        Case("/namespaces//gateway/application/x", nil), Case("/namespaces/x", nil, in: "x"), Case("/namespaces/x/health", nil, in: "x"),
        Case("/v2/models", nil), Case("/v2/models/", nil), Case("/v2/models/m/infer/", nil), Case("/v2/models/m/versions", nil),
        Case("/v2/models//infer", nil), Case("/v2x", nil), Case("/v2/health", nil), Case("/openapi/.json", nil), Case("/openapi/x", nil),
        Case("gateway/application/a", nil), Case("/", nil), Case("", nil), Case("*", nil),
    ]

    @Test(arguments: cases) func `a path names a place, or nothing`(path: Case) {
        let read = HTTPPath(path.testDescription)
        #expect(read.place == path.place)
        #expect(read.namespace == path.namespace)
    }

    @Test(arguments: [
        ("/v2/models/m/infer", true), ("/v2/nothing", true), ("/namespaces/a/v2", true), ("/gateway/application/v2", false),
        ("/namespaces/v2/gateway", false), ("", false), ("/v22", false),
    ])
    func `errors are worded for the path's protocol`(path: String, isOpenInference: Bool) {
        #expect(HTTPPath.isOpenInference(path) == isOpenInference)
    }
}

struct ContentCodingTests {
    @Test(
        arguments: [
            ("gzip", "gzip"), ("gzip, deflate, br", "gzip"), ("deflate", "deflate"), ("deflate, gzip;q=0.5", "deflate"),
            ("gzip;q=0, deflate", "deflate"),
            ("br", nil), ("*", "gzip"), ("identity", nil), ("", nil), ("gzip;q=0", nil), ("deflate;q=x", nil), ("GZIP", "gzip"),
        ] as [(String, String?)])
    func `the best that both know is taken`(header: String, coding: String?) {
        #expect(ContentCoding.accepted(by: header)?.rawValue == coding)
    }

    @Test(arguments: [ContentCoding.gzip, .deflate]) func `what is packed comes back`(coding: ContentCoding) throws {
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0) }
        let packed = coding.packed(body)
        #expect(try coding.unpacked(packed, limit: body.count) == body)
        #expect(throws: PredictionError.bodyTooLarge(limit: body.count - 1)) { try coding.unpacked(packed, limit: body.count - 1) }
    }

    @Test func `a bomb is given up at the limit`() {
        let bomb = ContentCoding.gzip.packed([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 1 << 20)
        #expect(throws: PredictionError.bodyTooLarge(limit: 1 << 20)) { try ContentCoding.gzip.unpacked(bomb, limit: 1 << 20) }
    }

    @Test func `packed bodies of all callers together have a bound, and give back what they took`() throws {
        let packed = ContentCoding.gzip.packed([UInt8](repeating: 7, count: 300_000))
        let budget = ByteBudget(500_000)
        #expect(try ContentCoding.gzip.unpacked(packed, limit: 1 << 20, from: budget).count == 300_000)
        #expect(throws: PredictionError.crowded("too many packed bodies at once")) {
            try ContentCoding.gzip.unpacked(packed, limit: 1 << 20, from: budget)
        }
        budget.give(300_000)
        #expect(throws: PredictionError.bodyTooLarge(limit: 1000)) { try ContentCoding.gzip.unpacked(packed, limit: 1000, from: budget) }
        #expect(budget.isUntouched)
    }

    @Test func `cut or foreign bytes are the caller's mistake, and bare deflate is none`() throws {
        let packed = ContentCoding.deflate.packed(Array("hello".utf8))
        // Without zlib's two bytes before and its checksum after.
        #expect(try ContentCoding.deflate.unpacked(Array(packed[2..<packed.count - 4]), limit: 10) == Array("hello".utf8))
        for broken in [Array(packed.dropLast()), Array("hello".utf8), []] {
            let error = #expect(throws: PredictionError.self) { try ContentCoding.deflate.unpacked(broken, limit: 10) }
            #expect(error.map { HTTPFault($0).status } == 400)
        }
        #expect(throws: PredictionError.unsupportedCoding("br")) { try ContentCoding.named("br") }
    }
}
