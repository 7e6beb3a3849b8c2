// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Wire

struct TimerWheelTests {
    private let tick = TimerWheel.tick

    @Test func `nothing fires early, and nothing more than a tick late`() {
        var wheel = TimerWheel(at: 0)
        var random = SystemRandomNumberGenerator()
        let timers = (0..<200).map { _ in LoopTimer() }
        var wanted: [ObjectIdentifier: Int64] = [:]
        for timer in timers {
            // Up to several turns of the wheel.
            let time = Int64.random(in: 0...20_000_000_000, using: &random)
            wheel.plan(timer, at: time)
            wanted[ObjectIdentifier(timer)] = time
        }
        var now: Int64 = 0
        while now < 21_000_000_000 {
            now += Int64.random(in: 1...50_000_000, using: &random)
            for timer in wheel.due(at: now) {
                let time = wanted.removeValue(forKey: ObjectIdentifier(timer)) ?? .max
                #expect(time <= now)
            }
            for time in wanted.values { #expect(now - time < tick) }
        }
        #expect(wanted.isEmpty)
        #expect(wheel.wait(from: now) == -1)
    }

    @Test func `a timer moved earlier or later fires once, at its last time`() {
        var wheel = TimerWheel(at: 0)
        let later = LoopTimer()
        let sooner = LoopTimer()
        wheel.plan(later, at: 5 * tick)
        wheel.plan(later, at: 50 * tick)
        wheel.plan(sooner, at: 50 * tick)
        wheel.plan(sooner, at: 5 * tick)
        #expect(wheel.due(at: 7 * tick).map(ObjectIdentifier.init) == [ObjectIdentifier(sooner)])
        #expect(wheel.due(at: 49 * tick).isEmpty)
        #expect(wheel.due(at: 52 * tick).map(ObjectIdentifier.init) == [ObjectIdentifier(later)])
        #expect(wheel.due(at: 2000 * tick).isEmpty)
    }

    @Test func `a cancelled timer does not fire, its neighbours in the slot do`() {
        var wheel = TimerWheel(at: 0)
        let timers = (0..<3).map { _ in LoopTimer() }
        for timer in timers { wheel.plan(timer, at: 3 * tick) }
        wheel.cancel(timers[1])
        wheel.cancel(timers[1])
        #expect(Set(wheel.due(at: 5 * tick).map(ObjectIdentifier.init)) == [ObjectIdentifier(timers[0]), ObjectIdentifier(timers[2])])
    }

    @Test func `a time that has passed is due at the next look`() {
        var wheel = TimerWheel(at: 100 * tick)
        let timer = LoopTimer()
        _ = wheel.due(at: 100 * tick)
        wheel.plan(timer, at: 5 * tick)
        #expect(wheel.wait(from: 100 * tick) <= 10)
        #expect(wheel.due(at: 101 * tick).count == 1)
    }

    @Test func `after a long sleep everything due is found`() {
        var wheel = TimerWheel(at: 0)
        let timers = (1...600).map { _ in LoopTimer() }
        for (i, timer) in timers.enumerated() { wheel.plan(timer, at: Int64(i) * 3 * tick) }
        #expect(wheel.due(at: 1_000_000 * tick).count == 600)
    }
}
