// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Telemetry
package import Wire

/// What a request says beside its values.
package struct Prediction: Sendable {
    package var requestID: RequestID
    package var trace: TraceContext?
    /// When an answer is of no use any more, as the caller sees it.
    package var deadline: ContinuousClock.Instant
    package var began: ContinuousClock.Instant
    /// The caller's headers, for the one that decides about variants.
    package var headers: WireHeaders

    package init(
        requestID: RequestID, trace: TraceContext? = nil, deadline: ContinuousClock.Instant,
        began: ContinuousClock.Instant = .now, headers: WireHeaders = [:]
    ) {
        self.requestID = requestID
        self.trace = trace
        self.deadline = deadline
        self.began = began
        self.headers = headers
    }

    /// Reads the headers that both protocols share. An id or a trace that is not well-formed counts as none.
    package init(_ request: WireRequest, began: ContinuousClock.Instant, dice: Dice) throws(PredictionError) {
        var random = dice
        let id = request.headers["x-request-id"].flatMap(RequestID.init(header:)) ?? RequestID(using: &random)
        let trace = request.headers["traceparent"].flatMap(TraceContext.init(header:)).map { $0.child(using: &random) }
        var deadline = request.deadline
        if let text = request.headers["x-request-timeout"] {
            guard let span = RequestTimeout.duration(text) else {
                throw .malformed("header \"x-request-timeout\" wants a number of seconds, or of ms, s or m, got \"\(text)\"")
            }
            deadline = min(deadline, began + span)
        }
        self.init(requestID: id, trace: trace, deadline: deadline, began: began, headers: request.headers)
    }
}
