// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import Testing
import Wire

@testable import Gateway

struct FrontCoreTests {
    @Test(arguments: [true, false]) func `a name is unknown only once everything has been listed`(isListed: Bool) throws {
        let core = FrontCore(
            table: RoutingTable(), pipeline: Pipeline(upstreams: GRPCUpstreams(loops: try WireLoops(count: 1))), isListed: { isListed },
            logger: Bench.silence)
        let target = RouteTarget(.application, ObjectKey("default", "tumour"))
        let error = #expect(throws: PredictionError.self) { try core.route(to: target) }
        #expect(error.map { HTTPFault($0).status } == (isListed ? 404 : 503))
    }
}

struct FaultTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var error: PredictionError
        var status: Int
        var word: String
        var code: GRPCCode
    }

    static let cases: [Case] = [
        .init(
            testDescription: "unknown name", error: .unknown(RouteTarget(.application, ObjectKey("a", "b"))), status: 404, word: "NotFound",
            code: .notFound),
        .init(
            testDescription: "not ready", error: .notReady(RouteTarget(.servable, ObjectKey("a", "b")), "x"), status: 503,
            word: "ServiceUnavailable", code: .unavailable),
        .init(testDescription: "no JSON", error: .malformed("x"), status: 400, word: "BadRequest", code: .invalidArgument),
        .init(
            testDescription: "wrong values", error: .invalidInput([]), status: 400, word: "ContractViolationError", code: .invalidArgument),
        .init(
            testDescription: "wrong answer", error: .brokenContract(model: "m", "x"), status: 502, word: "ContractViolationError",
            code: .internal),
        .init(
            testDescription: "model refuses", error: .modelFailed(model: "m", GRPCStatus(.invalidArgument, "x")), status: 400,
            word: "BadRequest", code: .invalidArgument),
        .init(
            testDescription: "model raises", error: .modelFailed(model: "m", GRPCStatus(.internal, "x")), status: 500,
            word: "InternalServerError", code: .internal),
        .init(testDescription: "no pod", error: .unavailable(model: "m", "x"), status: 503, word: "ServiceUnavailable", code: .unavailable),
        .init(testDescription: "answer lost", error: .lost(model: "m", "x"), status: 502, word: "BadGateway", code: .unavailable),
        .init(
            testDescription: "too late", error: .deadlineExceeded(after: .milliseconds(1500)), status: 504, word: "DeadlineExceeded",
            code: .deadlineExceeded),
    ]

    @Test(arguments: cases) func `each error has a status, a word and a code`(fault: Case) {
        let http = HTTPFault(fault.error)
        #expect(http.status == fault.status && http.error == fault.word)
        #expect(GRPCStatus(fault.error).code == fault.code)
        #expect(!http.information.isEmpty || fault.error == .invalidInput([]))
    }

    @Test(arguments: [("2s", 2000), ("150ms", 150), ("1.5", 1500), ("3", 3000), ("1m", 60_000)])
    func `a caller's timeout is a span or seconds`(text: String, milliseconds: Int) {
        #expect(RequestTimeout.duration(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "0", "-1", "soon", "nan", "inf", "1h", "1e99"]) func `what is no timeout is refused`(text: String) {
        #expect(RequestTimeout.duration(text) == nil)
    }
}
