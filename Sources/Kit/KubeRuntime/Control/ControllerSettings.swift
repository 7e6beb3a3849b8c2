// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// How a controller paces itself.
package struct ControllerSettings: Equatable, Sendable {
    /// Objects looked at side by side.
    package var workers: Int
    /// The longest one look may take.
    package var deadline: Duration
    /// How often a settled object is looked at though nothing seems to have changed; a tenth more or less.
    package var resync: Duration
    package var backoff: Backoff

    package init(
        workers: Int = 4, deadline: Duration = .seconds(120), resync: Duration = .seconds(3600), backoff: Backoff = Backoff()
    ) {
        self.workers = workers
        self.deadline = deadline
        self.resync = resync
        self.backoff = backoff
    }
}
