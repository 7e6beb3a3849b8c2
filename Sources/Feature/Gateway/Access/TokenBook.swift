// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Who a token belongs to, as the cluster says.
enum TokenVerdict: Equatable, Sendable {
    case identity(user: String, groups: [String])
    case refused(String)
}

/// How long what the cluster said of a token is believed.
package struct TokenLifetimes: Sendable, Equatable {
    package var good: Duration = .seconds(60)
    package var bad: Duration = .seconds(10)
    /// How long a good token is good while the API server cannot be asked.
    package var outage: Duration = .seconds(300)
    /// How long after a failure the API server is left alone, as far as known tokens go.
    package var retry: Duration = .seconds(5)

    package init() {}
}

/// What has been learned of tokens, by their digests. No clock and no lock inside.
struct TokenBook {
    typealias Instant = ContinuousClock.Instant

    private struct Entry {
        var verdict: TokenVerdict
        /// Believed until then …
        var fresh: Instant
        /// … and, while nobody can be asked, until then.
        var last: Instant
        /// When asking anew failed, since it was last answered.
        var failedAt: Instant?
    }

    enum Look: Equatable {
        case known(TokenVerdict)
        /// Known and due for another look, which the caller need not wait for.
        case due(TokenVerdict)
        case unknown
    }

    private let lifetimes: TokenLifetimes
    private var entries: TokenCache<Entry>

    init(_ lifetimes: TokenLifetimes, capacity: Int) {
        self.lifetimes = lifetimes
        entries = TokenCache(capacity: capacity)
    }

    mutating func look(_ key: [UInt8], now: Instant) -> Look {
        guard let entry = entries[key] else { return .unknown }
        if now < entry.fresh { return .known(entry.verdict) }
        guard let failedAt = entry.failedAt, now < entry.last else { return .unknown }
        return now - failedAt < lifetimes.retry ? .known(entry.verdict) : .due(entry.verdict)
    }

    /// - Parameter expires: when the token itself ends, if it says so.
    mutating func learn(_ key: [UInt8], _ verdict: TokenVerdict, expires: Instant?, now: Instant) {
        switch verdict {
        case .identity:
            let end = expires ?? now + lifetimes.outage
            entries[key] = Entry(verdict: verdict, fresh: min(now + lifetimes.good, end), last: min(now + lifetimes.outage, end))
        case .refused: entries[key] = Entry(verdict: verdict, fresh: now + lifetimes.bad, last: now + lifetimes.bad)
        }
    }

    /// Nobody could be asked. What is still believed then, if anything.
    mutating func fail(_ key: [UInt8], now: Instant) -> TokenVerdict? {
        guard var entry = entries[key], case .identity = entry.verdict, now < entry.last else { return nil }
        entry.failedAt = now
        entries[key] = entry
        return entry.verdict
    }
}
