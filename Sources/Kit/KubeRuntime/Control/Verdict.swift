// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// How one pass over an object ended, and so when to come back.
package enum Verdict: Equatable, Sendable {
    /// World and spec agree. Sleep until something changes, or the hourly look.
    case settled
    /// Something outside must happen first. Look again after `retry`.
    case waiting(reason: String, retry: Duration)
    /// Only an edit of the spec can help. Do not retry.
    case stalled(reason: String, message: String)
    /// An effect failed. Try again, later each time.
    case failing(message: String)

    /// The case alone, as metrics name it.
    package var name: String {
        switch self {
        case .settled: "settled"
        case .waiting: "waiting"
        case .stalled: "stalled"
        case .failing: "failing"
        }
    }
}
