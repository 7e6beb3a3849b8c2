// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// How long to wait after failures in a row: longer each time, up to a cap, never two alike.
package struct Backoff: Equatable, Sendable {
    package var first: Duration
    package var cap: Duration

    package init(first: Duration = .seconds(1), cap: Duration = .seconds(300)) {
        self.first = first
        self.cap = cap
    }

    /// The wait after `failures` in a row (1 for the first): doubled each time, spread by a fifth either way.
    ///
    /// - Parameter draw: a random number from 0 up to 1.
    package func delay(after failures: Int, draw: Double) -> Duration {
        // Beyond 2^40 any first delay is over any cap.
        let doubled = first * (1 << min(max(failures - 1, 0), 40))
        return min(doubled, cap) * (0.8 + 0.4 * draw)
    }
}
