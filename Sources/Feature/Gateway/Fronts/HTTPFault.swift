// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
package import Wire

/// An error as HTTP callers see it: a status, a word for programs and a sentence for people.
package struct HTTPFault: Equatable, Sendable {
    package var status = 400
    package var error: String
    package var information: String

    package init(error: String, information: String) {
        self.error = error
        self.information = information
    }

    /// What the server itself refuses: a broken request, a limit, a timeout.
    init(status: Int, information: String) {
        self.status = status
        self.information = information
        error =
            switch status {
            case 408: "RequestTimeout"
            case 413: "RequestTooLarge"
            case 503: "ServiceUnavailable"
            case 504: "DeadlineExceeded"
            case 500...: "InternalServerError"
            default: "BadRequest"
            }
    }

    package init(_ error: PredictionError) {
        information = "\(error)"
        switch error {
        case .unknown, .unknownVersion: (status, self.error) = (404, "NotFound")
        case .notReady, .unavailable, .crowded: (status, self.error) = (503, "ServiceUnavailable")
        case .unauthenticated: (status, self.error) = (401, "Unauthenticated")
        case .forbidden: (status, self.error) = (403, "Forbidden")
        case .cannotAuthenticate: (status, self.error) = (503, "ServiceUnavailable")
        case .noSuchPath: (status, self.error) = (404, "BadRequest")
        case .wrongMethod: (status, self.error) = (405, "BadRequest")
        case .malformed, .badFrame: (status, self.error) = (400, "BadRequest")
        case .bodyTooLarge: (status, self.error) = (413, "RequestTooLarge")
        case .unsupportedCoding: (status, self.error) = (415, "BadRequest")
        case .notOffered: (status, self.error) = (501, "NotImplemented")
        case .invalidInput: (status, self.error) = (400, "ContractViolationError")
        case .brokenContract: (status, self.error) = (502, "ContractViolationError")
        case .overloaded: (status, self.error) = (429, "TooManyRequests")
        case .lost: (status, self.error) = (502, "BadGateway")
        case .deadlineExceeded: (status, self.error) = (504, "DeadlineExceeded")
        case .abandoned: (status, self.error) = (499, "Abandoned")
        case .modelFailed(_, let failure): (status, self.error) = Self.kind(of: failure.code)
        }
    }

    /// What a model's own code means to an HTTP caller.
    private static func kind(of code: GRPCCode) -> (Int, String) {
        switch code {
        case .invalidArgument, .outOfRange, .failedPrecondition: (400, "BadRequest")
        case .notFound: (404, "NotFound")
        case .resourceExhausted: (429, "TooManyRequests")
        case .unavailable: (503, "ServiceUnavailable")
        case .deadlineExceeded: (504, "DeadlineExceeded")
        case .unimplemented: (502, "BadGateway")
        default: (500, "InternalServerError")
        }
    }

    package func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.string(error)
        writer.key("information")
        writer.string(information)
        writer.endObject()
        return writer.bytes
    }
}

extension HTTPFault {
    /// The error as the Open Inference Protocol writes it.
    func openInferenceJSON() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.string(information)
        writer.endObject()
        return writer.bytes
    }
}

extension GRPCStatus {
    /// An error as gRPC callers see it.
    package init(_ error: PredictionError) {
        let code: GRPCCode =
            switch error {
            case .unknown, .unknownVersion: .notFound
            case .notReady, .unavailable, .crowded: .unavailable
            case .unauthenticated: .unauthenticated
            case .forbidden: .permissionDenied
            case .cannotAuthenticate: .unavailable
            case .noSuchPath, .wrongMethod: .unimplemented
            case .malformed, .invalidInput: .invalidArgument
            case .bodyTooLarge: .resourceExhausted
            case .unsupportedCoding, .notOffered: .unimplemented
            case .badFrame(let status): status.code
            case .brokenContract: .internal
            case .overloaded: .resourceExhausted
            case .lost: .unavailable
            case .deadlineExceeded: .deadlineExceeded
            case .abandoned: .cancelled
            case .modelFailed(_, let failure): failure.code
            }
        self.init(code, "\(error)")
    }
}
