// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Wire

// How visits over HTTP end.
extension FrontCore {
    /// Closes the visit with what was asked for, compressed if the caller likes it so.
    func answer(_ request: WireRequest, _ visit: Visit, _ body: [UInt8], headers: WireHeaders = jsonHead) async -> WireResponse {
        var response = WireResponse(status: 200, headers: headers, body: body)
        visit.identify(&response.headers)
        await response.compress(for: request)
        close(visit, code: 200)
        return response
    }

    /// Closes the visit with an error.
    func refuse(_ error: PredictionError, _ visit: Visit, as dialect: HTTPDialect) -> WireResponse {
        var response = Self.refusal(error, as: dialect)
        visit.identify(&response.headers)
        close(visit, code: response.status, error)
        return response
    }

    /// Answers a question about what is served. It is no prediction, and not counted as one.
    func page(
        _ request: WireRequest, as dialect: HTTPDialect, contentType: String = "application/json",
        _ body: () throws(PredictionError) -> [UInt8]
    ) -> WireResponse {
        do throws(PredictionError) {
            try request.mustBe("GET")
            return WireResponse(status: 200, headers: ["content-type": contentType], body: try body())
        } catch { return Self.refusal(error, as: dialect) }
    }

    static let jsonHead: WireHeaders = ["content-type": "application/json"]

    static func refusal(_ error: PredictionError, as dialect: HTTPDialect) -> WireResponse {
        let fault = HTTPFault(error)
        var headers = jsonHead
        if case .wrongMethod(let wanted, _) = error { headers.append("allow", wanted == "GET" ? "GET, HEAD" : wanted) }
        if let seconds = error.retryAfter { headers.append("retry-after", "\(seconds)") }
        if let challenge = error.challenge { headers.append("www-authenticate", challenge) }
        if fault.status == 503 { headers.append("retry-after", "1") }
        return WireResponse(status: fault.status, headers: headers, body: dialect.body(of: fault))
    }
}

extension WireRequest {
    /// Refuses another method. Who may GET may ask for the head alone.
    func mustBe(_ wanted: String) throws(PredictionError) {
        guard method == wanted || method == "HEAD" && wanted == "GET" else {
            throw .wrongMethod(wanted: wanted, found: String(method.prefix(20)))
        }
    }
}
