// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What a watcher does next, and why. Pure: no clock, no network, no chance of its own.
///
/// `list` → `watch` → `read` … and from anywhere a `pause` before trying again. A watch resumes at the last version
/// seen; it lists anew only when that version is gone, or when the server refuses to resume.
struct WatcherState: Equatable {
    enum Step: Equatable {
        case list
        case watch(from: String)
        case read
        case pause(Duration)
    }

    /// Why a watch, or a list, came to nothing.
    enum Trouble: Equatable {
        /// The version is gone.
        case expired
        /// The server answered and refused.
        case refused
        /// The server asks for patience, is broken, or cannot be reached.
        case unreachable
    }

    private(set) var step = Step.list
    /// Where to resume; nil: with a list.
    private(set) var version: String?
    /// In a row, without anything having gone well in between.
    private(set) var failures = 0
    /// Answers of the server against resuming, in a row.
    private var refusals = 0
    /// Versions that were gone, in a row.
    private var expiries = 0
    private var next = Step.list

    /// A watch that stood for so long went well.
    private static let longLife = Duration.seconds(5)
    static let longestPause = Duration.seconds(30)

    /// A whole list is known; watch from there.
    mutating func listed(at version: String) {
        self.version = version
        step = .watch(from: version)
    }

    /// The watch stands.
    mutating func opened() { step = .read }

    /// An event or a bookmark came.
    mutating func saw(_ version: String) {
        if !version.isEmpty { self.version = version }
        failures = 0
        refusals = 0
        expiries = 0
    }

    /// The watch ended in good order, as it does every few minutes. One that ends at once is a failure.
    mutating func ended(after life: Duration, draw: Double) {
        if life >= Self.longLife { (failures, expiries) = (0, 0) } else { failures += 1 }
        next = version.map { .watch(from: $0) } ?? .list
        step = failures == 0 ? next : .pause(Self.pause(after: failures, draw: draw))
    }

    /// Something failed, after a watch of that length. `draw` is from 0 up to 1; `asked` is what the server wants to be waited.
    mutating func failed(_ trouble: Trouble, after life: Duration = .zero, asked: Duration? = nil, draw: Double) {
        if life >= Self.longLife { (failures, expiries) = (0, 0) }
        failures += 1
        switch trouble {
        case .expired:
            version = nil
            expiries += 1
            // It answers: what came before, a server that was away, is over.
            if expiries == 1 { failures = 1 }
        case .refused: refusals += 1
        case .unreachable: break
        }
        // A version that lies in the future of a restored server is refused for ever.
        if refusals >= 3 { version = nil }
        next = version.map { .watch(from: $0) } ?? .list
        if trouble == .expired, expiries == 1 {
            step = .list
        } else {
            step = .pause(max(asked ?? .zero, Self.pause(after: failures, draw: draw)))
        }
    }

    /// The pause is over.
    mutating func paused() { step = next }

    /// Half a second doubling to half a minute, of which at least a half is waited.
    static func pause(after failures: Int, draw: Double) -> Duration {
        let whole = min(longestPause, .milliseconds(500) * (1 << min(failures - 1, 10)))
        return whole * (0.5 + draw / 2)
    }
}
