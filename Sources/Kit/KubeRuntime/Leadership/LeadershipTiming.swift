// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// How long a lease lasts, and how it is kept.
package struct LeadershipTiming: Equatable, Sendable {
    /// Others wait for so long after the last renewal that they saw.
    package var lease: Duration
    /// A leader that could not renew for so long stops.
    package var renewDeadline: Duration
    /// Between two renewals, and between two looks of those who follow.
    package var retry: Duration
    /// The longest one request may take.
    package var attempt: Duration

    package init(
        lease: Duration = .seconds(15), renewDeadline: Duration = .seconds(10), retry: Duration = .seconds(2),
        attempt: Duration = .seconds(3)
    ) {
        precondition(renewDeadline < lease, "a renew deadline of \(renewDeadline) must be shorter than the lease of \(lease)")
        precondition(retry + attempt < renewDeadline, "one renewal (\(retry) + \(attempt)) must fit into the deadline of \(renewDeadline)")
        self.lease = lease
        self.renewDeadline = renewDeadline
        self.retry = retry
        self.attempt = attempt
    }
}
