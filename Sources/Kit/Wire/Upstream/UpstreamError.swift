// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why a call has no answer.
package enum UpstreamError: Error, Equatable, CustomStringConvertible {
    /// The request never reached the peer, or the peer said that it did not look at it: safe to try elsewhere.
    case notSent(String)
    /// The request may have been acted upon, and its answer is lost.
    case lost(String)
    case deadlineExceeded
    /// The task that waited was cancelled.
    case cancelled
    /// The peer answered with a status other than OK.
    case refused(GRPCStatus)
    /// The answer was longer than so many bytes.
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .notSent(let reason): "not sent: \(reason)"
        case .lost(let reason): "answer lost: \(reason)"
        case .deadlineExceeded: "deadline exceeded"
        case .cancelled: "cancelled"
        case .refused(let status): "\(status)"
        case .tooLarge(let limit): "answer over \(limit) bytes"
        }
    }
}
