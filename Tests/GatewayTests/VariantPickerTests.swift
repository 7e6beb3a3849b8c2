// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Gateway
import Testing

struct VariantPickerTests {
    struct Case: CustomTestStringConvertible {
        var weights: [Int]
        var shares: [Double]
        var testDescription: String { "\(weights)" }
    }

    static let cases: [Case] = [
        .init(weights: [50, 50], shares: [0.5, 0.5]), .init(weights: [90, 10], shares: [0.9, 0.1]),
        .init(weights: [10, 90], shares: [0.1, 0.9]), .init(weights: [99, 1], shares: [0.99, 0.01]),
        .init(weights: [34, 33, 33], shares: [0.34, 0.33, 0.33]), .init(weights: [100, 0], shares: [1, 0]),
        .init(weights: [0, 100], shares: [0, 1]), .init(weights: [1, 1, 2], shares: [0.25, 0.25, 0.5]),
    ]

    @Test(arguments: cases) func `shares are exactly the weights`(share: Case) {
        let picker = VariantPicker(weights: share.weights)
        let draws = 10_000
        var counts = Array(repeating: 0, count: share.weights.count)
        for step in 0..<draws {
            // Draws spread evenly over all numbers, so that the counts are exact and not merely likely.
            let draw = UInt64(step) * (UInt64.max / UInt64(draws)) + 7
            if let place = picker.pick(draw) { counts[place] += 1 }
        }
        for (count, wanted) in zip(counts, share.shares) { #expect(abs(Double(count) - wanted * Double(draws)) <= 1) }
    }

    @Test func `drawn shares of 90 and 10 pass a chi-square test`() {
        let picker = VariantPicker(weights: [90, 10])
        let dice = Dice(seed: 1)
        var counts = [0, 0]
        for _ in 0..<10_000 { counts[picker.pick(dice.next()) ?? 0] += 1 }
        let square = zip(counts, [9000.0, 1000.0]).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) / $1.1 }
        // 6.635 is p = 0.01 at one degree of freedom.
        #expect(square < 6.635)
    }

    @Test func `a variant alone answers whatever its weight`() {
        for draw in [0, 1 << 63, UInt64.max] { #expect(VariantPicker(weights: [0]).pick(draw) == 0) }
    }

    @Test func `nobody answers where all weights are zero, or there is no variant`() {
        #expect(VariantPicker(weights: [0, 0]).pick(5) == nil)
        #expect(VariantPicker(weights: []).pick(5) == nil)
        #expect(VariantPicker(weights: [-5, 0]).pick(5) == nil)
    }

    @Test func `the ends of the range fall at the first and the last that may answer`() {
        let picker = VariantPicker(weights: [0, 1, 99, 0])
        #expect(picker.pick(0) == 1)
        #expect(picker.pick(.max) == 2)
    }

    @Test func `a sticky value falls at the same place always, and values spread`() {
        #expect(Dice.number(for: "u1", salt: "a") == Dice.number(for: "u1", salt: "a"))
        #expect(Dice.number(for: "u1", salt: "a") != Dice.number(for: "u1", salt: "b"))
        let picker = VariantPicker(weights: [50, 50])
        let first = (0..<10_000).filter { picker.pick(Dice.number(for: "user-\($0)", salt: "stage-0")) == 0 }.count
        #expect((4_800...5_200).contains(first))
    }
}
