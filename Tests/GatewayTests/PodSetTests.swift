// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Gateway

struct PodSetTests {
    @Test func `the less loaded of two answers`() {
        let pods = PodSet(["10.0.0.1", "10.0.0.2"])
        let busy = pods.all[0]
        busy.begin()
        for draw in stride(from: UInt64(0), to: .max / 2, by: 1 << 58) { #expect(pods.choose(draw, now: 0)?.ip == "10.0.0.2") }
        busy.end()
        let dice = Dice(seed: 3)
        let chosen = Set((0..<100).compactMap { _ in pods.choose(dice.next(), now: 0)?.ip })
        #expect(chosen.count == 2)
    }

    @Test func `two different pods are compared, and all of them in time`() {
        let pods = PodSet((1...5).map { "10.0.0.\($0)" })
        for pod in pods.all.dropLast() { pod.begin() }
        let dice = Dice(seed: 9)
        let idle = (0..<1000).filter { _ in pods.choose(dice.next(), now: 0)?.ip == "10.0.0.5" }.count
        // The idle one is among two of five in two fifths of the draws.
        #expect((330...470).contains(idle))
    }

    @Test func `a pod that refused is left out while there are others, and only so long`() {
        let pods = PodSet(["10.0.0.1", "10.0.0.2"])
        _ = pods.all[0].eject(until: 100, now: 0)
        let dice = Dice(seed: 5)
        #expect(Set((0..<50).compactMap { _ in pods.choose(dice.next(), now: 99)?.ip }) == ["10.0.0.2"])
        #expect(Set((0..<50).compactMap { _ in pods.choose(dice.next(), now: 100)?.ip }).count == 2)
        _ = pods.all[1].eject(until: 100, now: 0)
        #expect(pods.choose(1, now: 0) != nil)
    }

    @Test func `what was tried is not tried again`() {
        let pods = PodSet(["10.0.0.1", "10.0.0.2"])
        #expect(pods.choose(1, now: 0, tried: [pods.all[0]])?.ip == "10.0.0.2")
        #expect(pods.choose(1, now: 0, tried: pods.all) == nil)
        #expect(PodSet().choose(1, now: 0) == nil)
    }

    @Test func `a pod keeps its load while its address stays`() {
        let pods = PodSet(["10.0.0.1", "10.0.0.2"])
        pods.all[1].begin()
        pods.replace(with: ["10.0.0.2", "10.0.0.3", "10.0.0.3"])
        #expect(pods.all.map(\.ip) == ["10.0.0.2", "10.0.0.3"])
        #expect(pods.all.map(\.load) == [1, 0])
    }

    @Test func `of a set of which all are left out, all are tried`() {
        let pods = PodSet(["10.0.0.1", "10.0.0.2"])
        for pod in pods.all { _ = pod.eject(until: .max, now: 0) }
        let dice = Dice(seed: 5)
        #expect(Set((0..<50).compactMap { _ in pods.choose(dice.next(), now: 9)?.ip }).count == 2)
        pods.all[0].answered(now: 9)
        #expect(Set((0..<50).compactMap { _ in pods.choose(dice.next(), now: 9)?.ip }) == ["10.0.0.1"])
    }

    @Test func `on suspicion at most half are left out`() {
        let pods = PodSet(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(pods.maySpare(at: 0))
        _ = pods.all[0].eject(until: .max, now: 0)
        #expect(!pods.maySpare(at: 0))
        #expect(!PodSet(["10.0.0.1"]).maySpare(at: 0))
        let suspect = pods.all[1]
        #expect((1...5).map { _ in suspect.failed() } == [false, false, false, false, true])
        suspect.answered(now: 0)
        #expect(!suspect.failed())
    }

    @Test(arguments: [(0, 0.1), (2, 0.2), (5, 0.5), (9, 0.9), (10, 1)])
    func `a pod that joins others gets its share little by little`(seconds: Int64, part: Double) {
        let window: Int64 = 10_000_000_000
        let pods = PodSet(["10.0.0.1"])
        pods.replace(with: ["10.0.0.1", "10.0.0.2"], now: 50)
        let dice = Dice(seed: 11)
        let now = 50 + seconds * 1_000_000_000
        let fresh = (0..<20_000).count { _ in pods.choose(dice.next(), now: now, warmup: window)?.ip == "10.0.0.2" }
        #expect(abs(Double(fresh) / 20_000 - part / 2) < 0.015)
    }

    @Test func `a new pod with requests counts them double while it is half warm`() {
        let pods = PodSet(["10.0.0.1"])
        pods.replace(with: ["10.0.0.1", "10.0.0.2"], now: 0)
        for _ in 0..<3 { pods.all[0].begin() }
        for _ in 0..<2 { pods.all[1].begin() }
        let dice = Dice(seed: 11)
        #expect(Set((0..<100).compactMap { _ in pods.choose(dice.next(), now: 5, warmup: 10)?.ip }) == ["10.0.0.1"])
        #expect(Set((0..<100).compactMap { _ in pods.choose(dice.next(), now: 10, warmup: 10)?.ip }) == ["10.0.0.2"])
    }

    @Test func `the first pods of all start warm, and one that comes back does not`() {
        let pods = PodSet()
        pods.replace(with: ["10.0.0.1", "10.0.0.2"], now: 7)
        #expect(pods.all.map { $0.warmth(at: 7, within: 100) } == [1, 1])
        _ = pods.all[1].eject(until: .max, now: 7)
        pods.all[1].answered(now: 50)
        #expect(pods.all.map { $0.warmth(at: 60, within: 100) } == [1, 0.1])
        #expect(pods.all[1].warmth(at: 100, within: 100) == 0.5)
    }
}

struct RetryBudgetTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `a fifth of the requests may be tried again, and ten a second`() {
        let budget = RetryBudget()
        #expect((0..<500).count { _ in budget.take(now: 1) } == 100)
        for _ in 0..<1000 { budget.add() }
        #expect((0..<500).count { _ in budget.take(now: 1) } == 200)
        #expect((0..<500).count { _ in budget.take(now: 1 + 3 * Self.second) } == 30)
        #expect((0..<500).count { _ in budget.take(now: 1 + 100 * Self.second) } == 100)
        for _ in 0..<100_000 { budget.add() }
        #expect((1000...1100).contains((0..<5000).count { _ in budget.take(now: 1 + 100 * Self.second) }))
    }
}
