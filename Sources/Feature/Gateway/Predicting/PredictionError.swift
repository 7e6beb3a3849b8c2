// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import Wire

/// Why a prediction was refused or lost.
package enum PredictionError: Error, Equatable {
    /// Nothing is served under that name.
    case unknown(RouteTarget)
    /// The name is served, but not in that version.
    case unknownVersion(RouteTarget, wanted: Int, served: [Int])
    /// The name is known and not served yet.
    case notReady(RouteTarget, String)
    /// Who asks cannot be told: no token, for nil, or one that is not believed, and why.
    case unauthenticated(String?)
    /// Who asks is known, and may not.
    case forbidden(String)
    /// Who asks cannot be found out now.
    case cannotAuthenticate(String)
    /// Nothing is behind the path, or the method's name.
    case noSuchPath(String)
    case wrongMethod(wanted: String, found: String)
    /// The request's own form is wrong: its JSON, its protocol buffer, its headers.
    case malformed(String)
    /// The body is longer than the gateway takes, once it is unpacked.
    case bodyTooLarge(limit: Int)
    /// The body is packed in a way that is not understood.
    case unsupportedCoding(String)
    /// The gateway itself has too much to hold.
    case crowded(String)
    /// The protocol has it, and the gateway does not.
    case notOffered(String)
    /// The request's gRPC frame is wrong, too large or compressed.
    case badFrame(GRPCStatus)
    /// The request's values are not what the signature declares.
    case invalidInput([ContractViolation])
    /// The model's answer, or what it made for the next stage, is not what its signature declares.
    case brokenContract(model: String, String)
    /// The model answered with an error of its own.
    case modelFailed(model: String, GRPCStatus)
    /// As many requests as may be are under way and wait; seconds until it may be worth to come again.
    case overloaded(RouteTarget, Admission.Limits, retryAfter: Int)
    /// No pod of the model took the request.
    case unavailable(model: String, String)
    /// A pod took the request and its answer never came.
    case lost(model: String, String)
    case deadlineExceeded(after: Duration)
    /// The caller went away.
    case abandoned
}

extension PredictionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknown(let target): "wanted an existing \(target.kind.rawValue), found none named \"\(target.key)\""
        case .unknownVersion(let target, let wanted, let served):
            "wanted version \(wanted) of \(target), found \(served.map { "\($0)" }.joined(separator: ", "))"
        case .notReady(let target, let reason): "\(target) is not served: \(reason)"
        case .unauthenticated(nil): "wanted a bearer token in the header \"authorization\", found none"
        case .unauthenticated(let reason?): "the bearer token is not accepted: \(reason)"
        case .forbidden(let reason): "not allowed: \(reason)"
        case .cannotAuthenticate(let reason): "the bearer token cannot be checked now: \(reason)"
        case .noSuchPath(let reason): reason
        case .wrongMethod(let wanted, let found): "wanted the method \(wanted), found \(found)"
        case .malformed(let reason): reason
        case .bodyTooLarge(let limit): "wanted a body of at most \(limit) bytes, found a longer one"
        case .unsupportedCoding(let coding): "wanted content-encoding gzip or deflate, found \"\(coding)\""
        case .crowded(let reason): reason
        case .notOffered(let reason): reason
        case .badFrame(let status): status.message
        case .invalidInput(let violations): ContractViolation.summary(of: violations)
        case .brokenContract(let model, let reason): "model \"\(model)\" broke its signature: \(reason)"
        case .modelFailed(let model, let status): "model \"\(model)\" failed: \(status.message.isEmpty ? "\(status.code)" : status.message)"
        case .overloaded(let target, let limits, let seconds):
            "\(target) has \(limits.limit) requests under way and \(limits.queue) waiting; wanted fewer, come again in \(seconds) s"
        case .unavailable(let model, let reason): "no pod of model \"\(model)\" took the request: \(reason)"
        case .lost(let model, let reason): "the answer of model \"\(model)\" was lost: \(reason)"
        case .deadlineExceeded(let span): "deadline exceeded after \(span.formatted)"
        case .abandoned: "the caller went away"
        }
    }
}

extension PredictionError {
    /// Seconds after which it may be worth to come again, where that is known.
    package var retryAfter: Int? {
        if case .overloaded(_, _, let seconds) = self { seconds } else { nil }
    }
}

extension Duration {
    /// `2s` or `150ms`.
    fileprivate var formatted: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
