// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Transport

/// How registries are spoken to.
package struct RegistrySettings: Sendable {
    /// Registries, as references name them, that are spoken to without TLS. All others get TLS.
    package var plainHTTP: Set<String>
    package var tls: TLSSettings
    /// How often what may be repeated is tried, the first time included.
    package var attempts: Int
    /// The wait after the first failure; it doubles with each.
    package var firstWait: Duration
    package var longestWait: Duration
    /// A registry that asks for more patience than this is taken for unreachable.
    package var longestRetryAfter: Duration
    package var clock: RegistryClock

    package init(
        plainHTTP: Set<String> = [], tls: TLSSettings = TLSSettings(), attempts: Int = 4, firstWait: Duration = .milliseconds(250),
        longestWait: Duration = .seconds(10), longestRetryAfter: Duration = .seconds(30), clock: RegistryClock = .system
    ) {
        self.plainHTTP = plainHTTP
        self.tls = tls
        self.attempts = attempts
        self.firstWait = firstWait
        self.longestWait = longestWait
        self.longestRetryAfter = longestRetryAfter
        self.clock = clock
    }

    /// Short requests: connection, request and answer.
    static let shortTimeouts = Timeouts(connect: .seconds(5), idle: .seconds(30), whole: .seconds(60))
    /// Blobs take as long as they take, but not in silence. A registry that hashes a large blob is silent for a while.
    static let longTimeouts = Timeouts(connect: .seconds(5), idle: .seconds(120))

    func scheme(of host: String) -> String {
        plainHTTP.contains(host) ? "http" : "https"
    }

    /// How long to wait after failure number `count`, counted from 1: doubling, and spread so that many do not return at once.
    func wait(after count: Int) -> Duration {
        let doubled = firstWait * (1 << min(count - 1, 16))
        return min(doubled, longestWait) * clock.random(0.5...1)
    }
}

/// Time and chance, for waits between tries and for tokens that run out.
package struct RegistryClock: Sendable {
    package var now: @Sendable () -> ContinuousClock.Instant
    package var sleep: @Sendable (Duration) async throws -> Void
    package var random: @Sendable (ClosedRange<Double>) -> Double

    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant, sleep: @escaping @Sendable (Duration) async throws -> Void,
        random: @escaping @Sendable (ClosedRange<Double>) -> Double
    ) {
        self.now = now
        self.sleep = sleep
        self.random = random
    }

    /// The system's.
    package static let system = RegistryClock(
        now: { .now }, sleep: { try await Task.sleep(for: $0) }, random: { Double.random(in: $0) })
}
