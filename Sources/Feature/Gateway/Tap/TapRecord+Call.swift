// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import Protos
import Telemetry
import Wire

extension TapMessages.Record {
    /// A call that has just ended, with the messages as they went and came.
    init(
        _ request: [UInt8], _ answer: ArraySlice<UInt8>?, encoding: TapMessages.Encoding, after took: Duration,
        _ metadata: WireHeaders, _ error: PredictionError? = nil
    ) {
        self.init()
        requestID = metadata["x-request-id"] ?? ""
        traceID = metadata["traceparent"].flatMap(TraceContext.init(header:))?.traceID ?? ""
        answeredAt = Self.now
        latencyNanos = UInt64(clamping: took.components.seconds * 1_000_000_000 + took.components.attoseconds / 1_000_000_000)
        self.request = TapMessages.Payload(encoding, request[...])
        self.answer = answer.map { TapMessages.Payload(encoding, $0) }
        guard let error else { return }
        outcome = TapMessages.Outcome(error)
        message = String("\(error)".prefix(1000))
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec * 1_000_000_000 + time.tv_nsec)
    }
}

extension TapMessages.Outcome {
    init(_ error: PredictionError) {
        switch error {
        case .modelFailed(_, let status):
            switch status.code {
            case .invalidArgument, .outOfRange, .failedPrecondition: self = .badRequest
            case .deadlineExceeded: self = .timeout
            default: self = .model
            }
        case .brokenContract: self = .contract
        case .deadlineExceeded: self = .timeout
        case .lost: self = .lost
        case .abandoned: self = .cancelled
        case .unavailable, .notReady: self = .unavailable
        default: self = .badRequest
        }
    }
}

extension Dialect {
    /// Whose messages its servables are asked with.
    var tapped: TapMessages.Encoding {
        switch self {
        case .hydrosphere: .hydrosphere
        case .tensorflow: .tensorflow
        case .openInference: .openInference
        }
    }
}
