// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// The event loops of a program: threads that servers and upstreams share.
///
/// A request, its handler and the calls that it makes stay on one loop. Handlers must not block: whoever shares the loop waits.
package final class WireLoops: Sendable {
    package let all: [WireLoop]
    private let turn = Atomic<Int>(0)

    /// Starts `count` threads, at least one.
    package init(count: Int) throws(WireError) {
        var loops: [WireLoop] = []
        for index in 0..<max(1, count) { loops.append(try WireLoop(index: index)) }
        for loop in loops { try loop.start() }
        all = loops
    }

    deinit { for loop in all { loop.stop() } }

    /// How many loops there are.
    package var count: Int { all.count }

    /// The loop on whose thread the caller runs, if it is one of these.
    var current: WireLoop? { all.first { $0.isCurrent } }

    /// The place among `all` of the loop on whose thread the caller runs, if it is one of these.
    package var currentIndex: Int? { current?.index }

    /// The loops in turn, for work that comes from elsewhere.
    func next() -> WireLoop { all[abs(turn.wrappingAdd(1, ordering: .relaxed).newValue % all.count)] }
}
