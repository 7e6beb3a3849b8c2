// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Draws one variant of a stage, each as often as its weight says.
///
/// Only variants that may answer are in it: shadows are left out by whoever makes it.
package struct VariantPicker: Equatable, Sendable {
    /// The sums of the weights up to and including each variant.
    private let cumulative: [UInt64]

    /// A variant alone answers always, whatever its weight; among several, weight 0 never answers.
    package init(weights: [Int]) {
        var sum: UInt64 = 0
        cumulative = weights.map { weight in
            sum += weights.count == 1 ? 1 : UInt64(clamping: min(weight, 1 << 32))
            return sum
        }
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
}
