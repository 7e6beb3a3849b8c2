// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import KubeRuntime

struct ScheduleTests {
    @Test func `failures wait longer each time, up to the cap`() {
        let backoff = Backoff()
        let delays = (1...12).map { backoff.delay(after: $0, draw: 0.5) }
        #expect(
            delays.prefix(9) == [
                .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(32), .seconds(64), .seconds(128), .seconds(256),
            ])
        #expect(delays.suffix(3) == [.seconds(300), .seconds(300), .seconds(300)])
        #expect(backoff.delay(after: .max, draw: 0.5) == .seconds(300))
        #expect(backoff.delay(after: 0, draw: 0.5) == .seconds(1))
    }

    @Test func `delays are spread by a fifth either way`() {
        #expect(Backoff().delay(after: 1, draw: 0) == .milliseconds(800))
        #expect(Backoff().delay(after: 1, draw: 0.99) < .milliseconds(1200))
    }

    @Test func `each verdict says when to come back`() {
        var schedule = Schedule<String>()
        #expect(schedule.delay(for: "a", after: .settled, draw: 0.5) == .seconds(3600))
        #expect(schedule.delay(for: "a", after: .settled, draw: 0) == .seconds(3240))
        #expect(schedule.delay(for: "a", after: .waiting(reason: "Building", retry: .seconds(10)), draw: 0.5) == .seconds(10))
        #expect(schedule.delay(for: "a", after: .waiting(reason: "Building", retry: .zero), draw: 0.5) == .milliseconds(50))
        #expect(schedule.delay(for: "a", after: .stalled(reason: "Bad", message: ""), draw: 0.5) == nil)
        #expect(schedule.delay(for: "a", after: .failing(message: ""), draw: 0.5) == .seconds(1))
    }

    @Test func `only failures in a row of the same key add up`() {
        var schedule = Schedule<String>()
        func fail(_ key: String) -> Duration? { schedule.delay(for: key, after: .failing(message: ""), draw: 0.5) }
        #expect([fail("a"), fail("a"), fail("b"), fail("a")] == [.seconds(1), .seconds(2), .seconds(1), .seconds(4)])
        _ = schedule.delay(for: "a", after: .waiting(reason: "", retry: .seconds(1)), draw: 0.5)
        #expect(fail("a") == .seconds(1))
        #expect(schedule.failures(of: "b") == 1)
        schedule.forget("b")
        #expect(fail("b") == .seconds(1))
    }
}
