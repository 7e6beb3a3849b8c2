// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// What a server has done and is doing.
package struct WireStatistics: Sendable, Equatable {
    package var connectionsOpen = 0
    package var connectionsAccepted = 0
    /// Connections closed at once because there were too many, or no descriptor was left.
    package var connectionsRejected = 0
    /// TLS handshakes that came to an end, good and bad, and the good ones that a ticket made short.
    package var handshakes = 0
    package var handshakesFailed = 0
    package var handshakesResumed = 0
    /// Pairs of certificate and key that were taken, the first included, and that were not.
    package var certificatesTaken = 0
    package var certificatesRefused = 0
    package var requests = 0
    package var requestsInFlight = 0
    /// Requests refused by a limit, or because they broke the protocol.
    package var requestsRejected = 0
    /// Requests whose caller went away before the answer.
    package var requestsAbandoned = 0
    package var requestsTimedOut = 0
    /// Bytes of connections that have ended, and of answered requests' bodies.
    package var bytesReceived = 0
    package var bytesSent = 0
}

/// One loop's counters: written by its thread alone, read by anyone.
final class ServerCounters: Sendable {
    let connectionsOpen = Atomic<Int>(0)
    let connectionsAccepted = Atomic<Int>(0)
    let connectionsRejected = Atomic<Int>(0)
    let handshakes = Atomic<Int>(0)
    let handshakesFailed = Atomic<Int>(0)
    let handshakesResumed = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let requestsInFlight = Atomic<Int>(0)
    let requestsRejected = Atomic<Int>(0)
    let requestsAbandoned = Atomic<Int>(0)
    let requestsTimedOut = Atomic<Int>(0)
    let bytesReceived = Atomic<Int>(0)
    let bytesSent = Atomic<Int>(0)

    func add(to sum: inout WireStatistics) {
        sum.connectionsOpen += connectionsOpen.load(ordering: .relaxed)
        sum.connectionsAccepted += connectionsAccepted.load(ordering: .relaxed)
        sum.connectionsRejected += connectionsRejected.load(ordering: .relaxed)
        sum.handshakes += handshakes.load(ordering: .relaxed)
        sum.handshakesFailed += handshakesFailed.load(ordering: .relaxed)
        sum.handshakesResumed += handshakesResumed.load(ordering: .relaxed)
        sum.requests += requests.load(ordering: .relaxed)
        sum.requestsInFlight += requestsInFlight.load(ordering: .relaxed)
        sum.requestsRejected += requestsRejected.load(ordering: .relaxed)
        sum.requestsAbandoned += requestsAbandoned.load(ordering: .relaxed)
        sum.requestsTimedOut += requestsTimedOut.load(ordering: .relaxed)
        sum.bytesReceived += bytesReceived.load(ordering: .relaxed)
        sum.bytesSent += bytesSent.load(ordering: .relaxed)
    }
}

extension Atomic where Value == Int {
    /// Adds without a locked instruction: right only because one thread writes.
    func count(_ step: Int = 1) { store(load(ordering: .relaxed) &+ step, ordering: .relaxed) }
}
