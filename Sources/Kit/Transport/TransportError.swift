// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why there is no answer, or only a part of it. Names the host; never credentials, path or query.
package enum TransportError: Error, Equatable, CustomStringConvertible {
    /// Which patience ran out.
    package enum Wait: String, Sendable {
        case connect, idle, whole
    }

    /// Refused before anything was sent.
    case invalidRequest(String)
    /// No connection: the name is unknown, or nobody listens. Nothing was sent.
    case connectFailed(host: String, reason: String)
    /// No trust between us and the peer. Nothing was sent.
    case tlsFailed(host: String, reason: String)
    case timedOut(Wait, host: String, after: Duration)
    /// The peer left before the end. What it has done with the request is unknown.
    case cut(host: String, reason: String)
    case redirectRefused(host: String, reason: String)
    /// A body that was to be collected is longer than its limit.
    case tooLarge(limit: Int)
    /// The task that waited was cancelled, and the transfer with it.
    case cancelled
    /// The transport was shut down.
    case shutDown
    case failed(host: String, reason: String)

    package var description: String {
        switch self {
        case .invalidRequest(let reason): "invalid request: \(reason)"
        case .connectFailed(let host, let reason): "no connection to \(host): \(reason)"
        case .tlsFailed(let host, let reason): "no TLS with \(host): \(reason)"
        case .timedOut(.connect, let host, let after): "no connection to \(host) within \(after)"
        case .timedOut(.idle, let host, let after): "no byte to or from \(host) for \(after)"
        case .timedOut(.whole, let host, let after): "no whole answer from \(host) within \(after)"
        case .cut(let host, let reason): "connection to \(host) cut: \(reason)"
        case .redirectRefused(let host, let reason): "redirect by \(host) refused: \(reason)"
        case .tooLarge(let limit): "wanted a body of at most \(limit) bytes, found more"
        case .cancelled: "cancelled"
        case .shutDown: "the transport is shut down"
        case .failed(let host, let reason): "request to \(host) failed: \(reason)"
        }
    }
}
