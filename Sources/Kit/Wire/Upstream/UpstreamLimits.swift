// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// What calls may take. Numbers are per loop and address.
package struct UpstreamLimits: Sendable, Equatable {
    /// For a connection to stand.
    package var connectTimeout: Duration = .seconds(2)
    /// Bytes of one answer.
    package var responseBytes = 64 << 20
    package var connections = 4
    /// Calls at once on one connection; fewer when the peer says so.
    package var streamsPerConnection = 100
    /// Calls that wait for a free stream; more are not sent.
    package var waiting = 1024
    /// A connection without calls is closed after this.
    package var idleTimeout: Duration = .seconds(180)
    /// With calls out and nothing heard for so long, the peer is asked whether it lives …
    package var pingAfter: Duration = .seconds(10)
    /// … and has so long to say so.
    package var pingTimeout: Duration = .seconds(5)

    package init() {}
}

/// What upstreams are doing and have done.
package struct UpstreamStatistics: Sendable, Equatable {
    package var connectionsOpen = 0
    package var connectionsMade = 0
    package var calls = 0
    package var callsInFlight = 0
    /// Calls not sent because too many waited.
    package var callsTurnedAway = 0
}

/// One loop's counters: written by its thread alone, read by anyone.
final class UpstreamCounters: Sendable {
    let connectionsOpen = Atomic<Int>(0)
    let connectionsMade = Atomic<Int>(0)
    let calls = Atomic<Int>(0)
    let callsInFlight = Atomic<Int>(0)
    let callsTurnedAway = Atomic<Int>(0)

    func add(to sum: inout UpstreamStatistics) {
        sum.connectionsOpen += connectionsOpen.load(ordering: .relaxed)
        sum.connectionsMade += connectionsMade.load(ordering: .relaxed)
        sum.calls += calls.load(ordering: .relaxed)
        sum.callsInFlight += callsInFlight.load(ordering: .relaxed)
        sum.callsTurnedAway += callsTurnedAway.load(ordering: .relaxed)
    }
}
