// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why a request cannot be taken: the status for its sender, and the reason in words.
struct HTTPFault: Error, Equatable {
    var status: Int
    var reason: String

    static let tooMuchHeld = HTTPFault(status: 503, reason: "too many bodies at once")
    static let tooManyRequests = HTTPFault(status: 503, reason: "too many requests at once")
    static let tooSlow = HTTPFault(status: 408, reason: "the request did not arrive in time")
    static let tooLate = HTTPFault(status: 504, reason: "no answer in time")

    static func malformed(_ reason: String) -> HTTPFault { HTTPFault(status: 400, reason: reason) }
}
