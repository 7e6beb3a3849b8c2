// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// Draws one variant of a stage, each as often as its weight says: by a number, or by a value that sticks to its variant.
///
/// Only variants that may answer are in it: shadows are left out by whoever makes it.
package struct VariantPicker: Equatable, Sendable {
    /// The sums of the weights up to and including each variant.
    private let cumulative: [UInt64]
    private let weights: [Double]
    /// What stands for each variant's name.
    private let seeds: [UInt64]

    /// A variant alone answers always, whatever its weight; among several, weight 0 never answers.
    ///
    /// By their names variants are known again when a value sticks: order and place do not matter. Without names places count.
    package init(weights: [Int], names: [String]? = nil) {
        let counted = weights.map { weights.count == 1 ? 1 : UInt64(clamping: min($0, 1 << 32)) }
        var sum: UInt64 = 0
        cumulative = counted.map { weight in
            sum += weight
            return sum
        }
        self.weights = counted.map { Double($0) }
        let names = names ?? weights.indices.map { "\($0)" }
        seeds = names.map { Dice.number(for: $0, salt: "variant") }
    }

    /// The variant at which a number drawn from all 64-bit numbers falls; nil when none may answer.
    ///
    /// Shares are exact to one part in 2^57, and the same number always falls at the same variant.
    package func pick(_ draw: UInt64) -> Int? {
        guard let total = cumulative.last, total > 0 else { return nil }
        if cumulative.count == 1 { return 0 }
        let place = draw.multipliedFullWidth(by: total).high
        return cumulative.firstIndex { place < $0 }
    }

    /// The variant that a value, given as its hash, sticks to; nil when none may answer.
    ///
    /// Weighted rendezvous hashing: value and variant together give a number u in (0, 1), and the least −ln(u)/weight wins. These
    /// are exponential variables whose rates are the weights, so that each wins with the probability weight/sum. A variant that comes,
    /// or whose weight grows, takes values from the others and moves none between them; one that goes or shrinks only gives.
    /// (Thaler, Ravishankar: Using name-based mappings to increase hit rates, 1998; Schindelhauer, Schomaker: Weighted distributed
    /// hash tables, 2005.)
    package func pick(stickingTo value: UInt64) -> Int? {
        if cumulative.count == 1 { return 0 }
        var best: Int?
        var least = Double.infinity
        for place in weights.indices where weights[place] > 0 {
            // 53 bits, in the middle of their step: neither 0 nor 1.
            let unit = (Double(Dice.mixed(value ^ seeds[place]) >> 11) + 0.5) * 0x1p-53
            let score = -log(unit) / weights[place]
            if score < least { (best, least) = (place, score) }
        }
        return best
    }
}

extension Route.Stage {
    /// The place of the variant that answers: where the caller's value sticks, if there is one, else where the dice fall.
    ///
    /// Stages are independent of each other: the same value may stick to the old variant of one and to the new one of another.
    func draw(_ sticky: String?, _ dice: Dice) -> Int? {
        if variants.count == 1 { return 0 }
        guard let sticky, !sticky.isEmpty else { return picker.pick(dice.next()) }
        return picker.pick(stickingTo: Dice.number(for: sticky, salt: name))
    }
}
