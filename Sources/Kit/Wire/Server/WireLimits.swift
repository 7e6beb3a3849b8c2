// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What a server puts up with.
package struct WireLimits: Sendable, Equatable {
    /// Bytes of request line and header fields together; more is 431 (414 in the request line).
    package var headBytes = 32_768
    /// Header fields; more is 431.
    package var headFields = 128
    /// Bytes of one body; more is 413.
    package var bodyBytes = 16 << 20
    /// Bytes that one loop holds at once of heads and bodies that have come and of answers that wait to be read; what would exceed it
    /// is 503.
    package var heldBytes = 512 << 20
    /// Connections at once, on each loop; more are closed at once.
    package var connections = 10_000
    /// Requests that handlers work on at once, on each loop; more are 503.
    package var requests = 16_384
    /// Requests at once on one HTTP/2 connection.
    package var streamsPerConnection = 256
    /// For a head to arrive, from its first byte (or from the connection's first moment).
    package var headTimeout: Duration = .seconds(10)
    /// Between requests of a connection.
    package var idleTimeout: Duration = .seconds(75)
    /// From a request's first byte to its answer's last.
    package var requestTimeout: Duration = .seconds(60)
    /// From a streamed call's head to its end, unless its `grpc-timeout` is shorter.
    package var streamTimeout: Duration = .seconds(3600)
    /// After draining begins, how long an idle connection may still ask once; so no request meets a closing door.
    package var drainGrace: Duration = .seconds(1)
    /// After draining begins, how long until everything is cut.
    package var drainTimeout: Duration = .seconds(25)

    package init() {}
}
