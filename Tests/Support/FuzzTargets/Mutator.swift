// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Makes bad inputs of good ones; the same ones for the same seed.
package struct Mutator {
    private let seeds: [[UInt8]]
    private let words: [[UInt8]]
    private var state: UInt64

    package init(_ target: FuzzTarget, seed: UInt64) {
        seeds = target.seeds
        words = target.words
        state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    }

    /// The next input: a good one, changed at a few places.
    package mutating func next() -> [UInt8] {
        var bytes = seeds[draw(seeds.count)]
        for _ in 0...draw(4) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes.append(UInt8(draw(256))) }
        let place = draw(bytes.count)
        switch draw(7) {
        case 0: bytes[place] ^= 1 << UInt8(draw(8))
        case 1: bytes[place] = UInt8(draw(256))
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + draw(8)))
        case 3: bytes.insert(contentsOf: words[draw(words.count)], at: place)
        case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + draw(16))], at: draw(bytes.count))
        case 5:
            let other = seeds[draw(seeds.count)]
            bytes = Array(bytes[..<place] + other.suffix(draw(other.count + 1)))
        default: bytes.removeLast(draw(bytes.count))
        }
    }

    private mutating func draw(_ count: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(truncatingIfNeeded: (state &* 0x2545_f491_4f6c_dd1d) >> 33) % max(1, count)
    }
}
