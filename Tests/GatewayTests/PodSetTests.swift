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
        pods.all[0].shun(until: 100)
        let dice = Dice(seed: 5)
        #expect(Set((0..<50).compactMap { _ in pods.choose(dice.next(), now: 99)?.ip }) == ["10.0.0.2"])
        #expect(Set((0..<50).compactMap { _ in pods.choose(dice.next(), now: 100)?.ip }).count == 2)
        pods.all[1].shun(until: 100)
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
}
