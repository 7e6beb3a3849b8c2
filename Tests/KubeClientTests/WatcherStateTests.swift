// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import KubeClient

struct WatcherStateTests {
    private func watching(at version: String) -> WatcherState {
        var state = WatcherState()
        state.listed(at: version)
        state.opened()
        return state
    }

    @Test func `a list, then a watch from its version`() {
        var state = WatcherState()
        #expect(state.step == .list)
        state.listed(at: "5")
        #expect(state.step == .watch(from: "5"))
        state.opened()
        #expect(state.step == .read)
    }

    @Test func `a watch that ends resumes at the last version seen`() {
        var state = watching(at: "5")
        state.saw("7")
        state.saw("")
        state.ended(after: .seconds(300), draw: 0)
        #expect(state.step == .watch(from: "7"))
    }

    @Test func `a watch that ends at once waits before it resumes`() {
        var state = watching(at: "5")
        state.ended(after: .zero, draw: 0)
        #expect(state.step == .pause(.milliseconds(250)))
        state.paused()
        #expect(state.step == .watch(from: "5"))
    }

    @Test func `a version that is gone lists at once, but not again and again`() {
        var state = watching(at: "5")
        state.failed(.expired, draw: 0)
        #expect(state.step == .list)
        state.listed(at: "6")
        state.failed(.expired, draw: 0)
        #expect(state.step == .pause(.milliseconds(500)))
        state.paused()
        #expect(state.step == .list)
    }

    @Test func `a server that comes back without the version is listed at once`() {
        var state = watching(at: "5")
        for _ in 0..<10 {
            state.failed(.unreachable, draw: 0)
            state.paused()
        }
        state.failed(.expired, draw: 0)
        #expect(state.step == .list)
        state.listed(at: "6")
        state.failed(.unreachable, draw: 0)
        #expect(state.step == .pause(.milliseconds(500)))
    }

    @Test func `an absent server is tried for ever, later each time up to half a minute, from the same version`() {
        var state = watching(at: "5")
        var pauses: [Duration] = []
        for _ in 0..<10 {
            state.failed(.unreachable, draw: 0.999_999)
            guard case .pause(let span) = state.step else { return #expect(Bool(false)) }
            pauses.append(span)
            state.paused()
            #expect(state.step == .watch(from: "5"))
        }
        #expect(pauses == pauses.sorted())
        #expect(pauses.allSatisfy { $0 <= .seconds(30) })
        #expect(pauses.last.map { $0 > .seconds(29) } == true)
        state.opened()
        state.saw("6")
        #expect(state.failures == 0)
    }

    @Test func `a cut after a long watch is as good as the first`() {
        var state = watching(at: "5")
        for _ in 0..<8 { state.failed(.unreachable, draw: 0) }
        state.failed(.unreachable, after: .seconds(60), draw: 0)
        #expect(state.step == .pause(.milliseconds(250)))
    }

    @Test func `a server that refuses to resume three times is listed anew`() {
        var state = watching(at: "99999")
        for _ in 0..<3 {
            state.failed(.refused, draw: 0)
            state.paused()
        }
        #expect(state.step == .list)
    }

    @Test func `a pause that the server asks for is kept`() {
        var state = watching(at: "5")
        state.failed(.unreachable, asked: .seconds(42), draw: 0)
        #expect(state.step == .pause(.seconds(42)))
    }

    @Test(arguments: [(1, 0.0, 250), (1, 1.0, 500), (3, 0.0, 1000), (100, 1.0, 30_000)])
    func `half of a pause is chance`(failures: Int, draw: Double, milliseconds: Int) {
        #expect(WatcherState.pause(after: failures, draw: draw) == .milliseconds(milliseconds))
    }
}
