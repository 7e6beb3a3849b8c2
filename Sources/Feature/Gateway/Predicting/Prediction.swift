// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Telemetry
package import Wire

/// What a request says beside its values.
package struct Prediction: Sendable {
    package var requestID: RequestID
    /// Our span, whose children are the calls of variants.
    package var trace: TraceContext?
    /// When an answer is of no use any more, as the caller sees it.
    package var deadline: ContinuousClock.Instant
    package var began: ContinuousClock.Instant
    /// The caller's headers, for the one that decides about variants.
    package var headers: WireHeaders
    /// Who asked, and with how many bytes.
    package var peer = ""
    package var bytes = 0
    /// Whether it was asked for by the application's own declaration, as from a topic, and not by a caller with a token.
    package var isVouchedFor = false
    /// Whether the tap may tell of it, and shadows get copies.
    package var isTapped = true

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
    package init(_ request: WireRequest, began: ContinuousClock.Instant, dice: Dice) {
        let id = request.headers["x-request-id"].flatMap(RequestID.init(header:)) ?? RequestID(random: (dice.next(), dice.next()))
        let given = request.headers["traceparent"].flatMap(TraceContext.init(header:))
        let trace = given.map { $0.child(span: dice.next()) } ?? TraceContext(random: (dice.next(), dice.next()), span: dice.next())
        self.init(requestID: id, trace: trace, deadline: request.deadline, began: began, headers: request.headers)
        peer = request.peer
        bytes = request.body.count
    }

    /// The smallest of what the caller and the route allow.
    package func deadline(along route: Route) -> ContinuousClock.Instant { min(deadline, began + route.timeout) }

    /// Brings the deadline forward to what the caller's `x-request-timeout` says, if it says anything.
    package mutating func heedTimeout() throws(PredictionError) {
        guard let text = headers["x-request-timeout"] else { return }
        guard let span = RequestTimeout.duration(text) else {
            throw .malformed(
                "header \"x-request-timeout\" wants a number of seconds, or a whole number with ms, s or m, got \"\(text.prefix(100))\"")
        }
        deadline = min(deadline, began + span)
    }
}
