// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeCore
package import Transport

/// Why the API server did not do what was asked. Every case says what that was.
package enum KubeError: Error, Equatable, CustomStringConvertible {
    /// What the server said, and to what.
    package struct Refusal: Equatable, Sendable {
        /// `get Deployment.apps shop/web`.
        package var request: String
        package var status: APIStatus
        /// When the server wants to be asked again.
        package var retryAfter: Duration?

        package init(request: String, status: APIStatus, retryAfter: Duration? = nil) {
            self.request = request
            self.status = status
            self.retryAfter = retryAfter
        }
    }

    case notFound(Refusal)
    case alreadyExists(Refusal)
    /// Somebody else wrote in between, or owns the field, or it is not the object that was meant.
    case conflict(Refusal)
    /// The version, or the page, asked for is gone: list anew.
    case expired(Refusal)
    case unauthorized(Refusal)
    case forbidden(Refusal)
    /// The object is not a valid one; `status.details.causes` names the fields.
    case invalid(Refusal)
    case tooManyRequests(Refusal)
    /// The server cannot answer now: 5xx.
    case unavailable(Refusal)
    case refused(Refusal)
    case transport(request: String, TransportError)
    /// An answer that is not what the API promises.
    case badAnswer(request: String, reason: String)
    /// No way to say who we are.
    case noCredentials(String)
    case cancelled

    /// What the server said; nil where it said nothing.
    package var refusal: Refusal? {
        switch self {
        case .notFound(let refusal), .alreadyExists(let refusal), .conflict(let refusal), .expired(let refusal),
            .unauthorized(let refusal), .forbidden(let refusal), .invalid(let refusal), .tooManyRequests(let refusal),
            .unavailable(let refusal), .refused(let refusal):
            refusal
        case .transport, .badAnswer, .noCredentials, .cancelled: nil
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    package var isTransient: Bool {
        switch self {
        case .tooManyRequests, .unavailable, .transport, .noCredentials: true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .transport(let request, let error): "\(request): \(error)"
        case .badAnswer(let request, let reason): "\(request): bad answer: \(reason)"
        case .noCredentials(let reason): "no credentials for the cluster: \(reason)"
        case .cancelled: "cancelled"
        default: refusal.map { "\($0.request): \($0.status.code) \($0.status.reason): \($0.status)" } ?? ""
        }
    }

    /// The case that fits the server's status.
    init(_ refusal: Refusal) {
        switch (refusal.status.code, refusal.status.reason) {
        case (404, _): self = .notFound(refusal)
        case (409, "AlreadyExists"): self = .alreadyExists(refusal)
        case (409, _): self = .conflict(refusal)
        case (410, _), (_, "Expired"), (_, "Gone"): self = .expired(refusal)
        case (401, _): self = .unauthorized(refusal)
        case (403, _): self = .forbidden(refusal)
        case (422, _), (400, "Invalid"): self = .invalid(refusal)
        case (429, _): self = .tooManyRequests(refusal)
        case (500..., _): self = .unavailable(refusal)
        default: self = .refused(refusal)
        }
    }
}
