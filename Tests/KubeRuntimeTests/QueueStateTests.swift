// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import KubeRuntime

struct QueueStateTests {
    @Test func `a key added while running runs once more, never twice at once`() {
        var state = QueueState<String>(capacity: 10)
        #expect(state.add("iris") == .queued)
        #expect(state.add("iris") == .merged)
        #expect(state.take(now: .zero) == "iris")
        #expect(state.add("iris") == .merged)
        #expect(state.add("iris") == .merged)
        #expect(state.take(now: .zero) == nil)
        #expect(state.finish("iris", again: nil) == .queued)
        #expect(state.take(now: .zero) == "iris")
        #expect(state.finish("iris", again: nil) == .merged)
        #expect(state.take(now: .zero) == nil)
        #expect(state.count == 0)
    }

    @Test func `keys are served in order of arrival`() {
        var state = QueueState<Int>(capacity: 1000)
        for key in 0..<500 { _ = state.add(key) }
        for key in 0..<500 { #expect(state.take(now: .zero) == key) }
    }

    @Test func `delayed keys come when they are due, earliest first`() {
        var state = QueueState<String>(capacity: 10)
        #expect(state.add("b", at: .seconds(2)) == .later)
        #expect(state.add("a", at: .seconds(1)) == .later)
        #expect(state.nextDue() == .seconds(1))
        #expect(state.take(now: .milliseconds(999)) == nil)
        #expect(state.take(now: .seconds(3)) == "a")
        #expect(state.take(now: .seconds(3)) == "b")
        #expect(state.nextDue() == nil)
    }

    @Test func `of two times the earlier counts, and now is earlier than any`() {
        var state = QueueState<String>(capacity: 10)
        _ = state.add("a", at: .seconds(5))
        #expect(state.add("a", at: .seconds(9)) == .merged)
        #expect(state.nextDue() == .seconds(5))
        #expect(state.add("a", at: .seconds(1)) == .later)
        #expect(state.nextDue() == .seconds(1))
        #expect(state.add("a") == .queued)
        #expect(state.nextDue() == nil)
        #expect(state.add("a", at: .seconds(1)) == .merged)
        #expect(state.take(now: .seconds(9)) == "a")
        #expect(state.take(now: .seconds(9)) == nil)
    }

    @Test func `what was asked for during a run and the verdict after it: the earlier counts`() {
        var state = QueueState<String>(capacity: 10)
        _ = state.add("a")
        _ = state.take(now: .zero)
        #expect(state.add("a", at: .seconds(7)) == .merged)
        #expect(state.add("a", at: .seconds(3)) == .merged)
        #expect(state.finish("a", again: .seconds(5)) == .later)
        #expect(state.nextDue() == .seconds(3))
        _ = state.take(now: .seconds(3))
        #expect(state.finish("a", again: .seconds(60)) == .later)
        #expect(state.nextDue() == .seconds(60))
    }

    @Test func `beyond the bound keys are dropped, counted, and asked for anew once there is room`() {
        var state = QueueState<Int>(capacity: 4)
        for key in 0..<4 { #expect(state.add(key) == .queued) }
        #expect(state.add(4) == .dropped)
        #expect(state.add(5, at: .seconds(1)) == .dropped)
        #expect(state.add(3) == .merged)
        #expect(state.dropped == 2)
        #expect(state.takeOverflow() == false)
        for key in 0..<2 {
            #expect(state.take(now: .zero) == key)
            _ = state.finish(key, again: nil)
        }
        #expect(state.takeOverflow() == true)
        #expect(state.takeOverflow() == false)
    }

    @Test func `a running key comes back though the queue is full`() {
        var state = QueueState<Int>(capacity: 1)
        _ = state.add(1)
        _ = state.take(now: .zero)
        #expect(state.add(2) == .dropped)
        #expect(state.finish(1, again: .seconds(1)) == .later)
    }

    /// Against a plain model: every operation, in random order, keeps each key in one place and loses none.
    @Test(arguments: 0..<20) func `no order of operations loses a key or runs it twice at once`(seed: UInt64) {
        var random = Linear(state: seed)
        var state = QueueState<Int>(capacity: 1000)
        var running: Set<Int> = []
        var wanted: Set<Int> = []
        var now = Duration.zero
        for _ in 0..<2000 {
            let key = Int.random(in: 0..<12, using: &random)
            now += .milliseconds(10)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: wanted.insert(key); _ = state.add(key)
            case 1: wanted.insert(key); _ = state.add(key, at: now + .milliseconds(Int.random(in: 0..<300, using: &random)))
            case 2, 3:
                guard let taken = state.take(now: now) else { continue }
                #expect(running.insert(taken).inserted)
                wanted.remove(taken)
            default:
                guard let done = running.randomElement(using: &random) else { continue }
                running.remove(done)
                let retry = Bool.random(using: &random)
                if retry { wanted.insert(done) }
                _ = state.finish(done, again: retry ? now + .milliseconds(50) : nil)
            }
            #expect(state.runningCount == running.count)
        }
        for key in running { _ = state.finish(key, again: nil) }
        var served: Set<Int> = []
        while let key = state.take(now: now + .seconds(10)) { served.insert(key) }
        #expect(served == wanted)
    }
}

/// A small generator, so that a failure repeats.
struct Linear: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
