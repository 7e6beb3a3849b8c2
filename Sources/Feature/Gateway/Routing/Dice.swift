// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// Random numbers for many threads at once, at the price of one atomic addition each. Not for secrets.
package final class Dice: RandomNumberGenerator, Sendable {
    private let state: Atomic<UInt64>

    /// The same seed gives the same numbers.
    package init(seed: UInt64 = .random(in: .min ... .max)) { state = Atomic(seed) }

    package func next() -> UInt64 { Self.mixed(state.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue) }

    /// The number that stands for a text, the same everywhere and always: FNV-1a, then mixed so that every bit counts.
    package static func number(for text: String, salt: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for bytes in [salt.utf8, text.utf8] {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        return mixed(hash)
    }

    /// SplitMix64's last step: a bijection after which every bit depends on every bit.
    static func mixed(_ number: UInt64) -> UInt64 {
        var number = number
        number = (number ^ number >> 30) &* 0xbf58_476d_1ce4_e5b9
        number = (number ^ number >> 27) &* 0x94d0_49bb_1331_11eb
        return number ^ number >> 31
    }
}
