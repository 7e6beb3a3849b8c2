// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import FuzzTargets
import Testing

struct FuzzTargetTests {
    /// A short look; `hack/fuzz` takes the long one.
    @Test(arguments: FuzzTarget.allCases)
    func `whatever comes in is refused, or survives being written and read again`(target: FuzzTarget) {
        for seed in target.seeds { #expect(target.complaint(about: seed) == nil, "\(seed)") }
        var mutator = Mutator(target, seed: 1)
        for _ in 0..<5000 {
            let bytes = mutator.next()
            if let complaint = target.complaint(about: bytes) { Issue.record("\(complaint): \(bytes)") }
        }
    }
}
