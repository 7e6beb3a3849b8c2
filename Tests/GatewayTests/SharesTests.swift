// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Glibc
import KubeCore
import Testing

@testable import Gateway

/// A stage with nothing but variants: what draws look at.
private func stage(_ weights: [(name: String, weight: Int)]) throws -> Route.Stage {
    let variants = weights.map { Objects.variant($0.name, weight: $0.weight) }
    let application = Objects.application("tumour", [Objects.stage("stage-0", Objects.signature, variants)])
    let state = RouteState(application, RouteSurroundings(pods: [:]))
    guard case .serving(let route) = state else { throw PredictionError.malformed("\(state)") }
    return route.stages[0]
}

private func stage(_ weights: [Int]) throws -> Route.Stage {
    try stage(weights.enumerated().map { ("tumour-\($0 + 1)", $1) })
}

/// How often chance alone strays so far from the weights, for two or three variants.
private func chance(of counts: [Int], _ weights: [Int]) -> Double {
    let (draws, sum) = (Double(counts.reduce(0, +)), Double(weights.reduce(0, +)))
    let square = zip(counts, weights).reduce(0.0) { square, pair in
        let wanted = draws * Double(pair.1) / sum
        return square + (Double(pair.0) - wanted) * (Double(pair.0) - wanted) / wanted
    }
    return counts.count == 2 ? erfc((square / 2).squareRoot()) : exp(-square / 2)
}

/// Shares as the pipeline draws them.
@Suite(.serialized) struct SharesTests {
    static let weights = [[50, 50], [90, 10], [99, 1], [34, 33, 33]]

    @Test(arguments: weights) func `a million draws keep the weights`(weights: [Int]) async throws {
        let stage = try stage(weights)
        let dice = Dice(seed: 20)
        var counts = Array(repeating: 0, count: weights.count)
        for number in 0..<1_000_000 {
            counts[stage.draw(nil, dice) ?? 0] += 1
            // Other tests need the thread, too.
            if number % 10_000 == 0 { await Task.yield() }
        }
        let chance = chance(of: counts, weights)
        print("\(weights): \(counts) of 1,000,000, p = \(chance)")
        #expect(chance > 0.01)
    }

    @Test(arguments: weights) func `sticky values are shared by the weights`(weights: [Int]) async throws {
        let stage = try stage(weights)
        var counts = Array(repeating: 0, count: weights.count)
        let dice = Dice(seed: 1)
        for user in 0..<100_000 {
            counts[stage.draw("user-\(user)", dice) ?? 0] += 1
            if user % 2000 == 0 { await Task.yield() }
        }
        let chance = chance(of: counts, weights)
        print("\(weights): \(counts) of 100,000 sticky values, p = \(chance)")
        #expect(chance > 0.01)
    }
}

/// Which values change their variant, and when.
@Suite(.serialized) struct StickyTests {
    private static let users = (0..<20_000).map { "user-\($0)" }

    private func names(_ stage: Route.Stage) -> [String] {
        let dice = Dice(seed: 1)
        return Self.users.map { user in stage.draw(user, dice).map { stage.variants[$0].servable.name } ?? "" }
    }

    @Test(arguments: 1...5) func `a new variant takes its share and moves nobody else`(old: Int) throws {
        let before = names(try stage((1...old).map { ("tumour-\($0)", 100) }))
        let after = names(try stage((1...old + 1).map { ("tumour-\($0)", 100) }))
        let moved = zip(before, after).filter { $0 != $1 }
        let share = Double(moved.count) / Double(Self.users.count)
        print("\(old) variants and one more: \(share) moved, \(1 / Double(old + 1)) is its share")
        #expect(share < 1 / Double(old + 1) + 0.01)
        #expect(moved.allSatisfy { $0.1 == "tumour-\(old + 1)" })
    }

    @Test func `a weight that grows takes just the difference`() throws {
        let before = names(try stage([("old", 90), ("new", 10), ("other", 100)]))
        let after = names(try stage([("old", 60), ("new", 40), ("other", 100)]))
        let moved = zip(before, after).filter { $0 != $1 }
        // 15 of 100 must move to the new one; those of the third may keep it, since its share stays.
        #expect(moved.allSatisfy { $0.1 == "new" || $0.0 == "old" })
        let share = Double(moved.count) / Double(Self.users.count)
        print("90/10/100 to 60/40/100: \(share) moved")
        #expect((0.15..<0.25).contains(share))
    }

    @Test func `between two variants a change of weights moves exactly the difference, one way`() throws {
        let before = names(try stage([("old", 90), ("new", 10)]))
        let after = names(try stage([("old", 75), ("new", 25)]))
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0 == ("old", "new") })
        #expect(abs(Double(moved.count) / Double(Self.users.count) - 0.15) < 0.01)
    }

    @Test func `order does not matter, nor does scale`() throws {
        let one = names(try stage([("a", 20), ("b", 30), ("c", 50)]))
        #expect(one == names(try stage([("c", 50), ("a", 20), ("b", 30)])))
        #expect(one == names(try stage([("a", 2), ("b", 3), ("c", 5)])))
    }

    @Test func `other replicas and other days agree`() throws {
        let stage = try stage([("tumour-1", 50), ("tumour-2", 30), ("tumour-3", 20)])
        let places = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"].map { stage.draw($0, Dice()) ?? -1 }
        #expect(places == [1, 0, 0, 0, 1, 0, 0, 1])
    }

    @Test func `stages stick on their own`() throws {
        let stage = try stage([50, 50])
        let first = names(stage)
        let other = Route.Stage(name: "stage-1", signature: stage.signature, variants: stage.variants, picker: stage.picker)
        let same = zip(first, names(other)).filter { $0 == $1 }.count
        #expect(abs(Double(same) / Double(Self.users.count) - 0.5) < 0.02)
    }

    @Test func `a weight of zero gets nobody, and no value at all is drawn for`() throws {
        let stage = try stage([("a", 100), ("b", 0), ("c", 100)])
        #expect(!names(stage).contains("b"))
        let dice = Dice(seed: 4)
        for value in [nil, ""] as [String?] { #expect(Set((0..<100).map { _ in stage.draw(value, dice) }).count == 2) }
    }
}

/// A caller who names a version.
struct PinnedTests {
    private func route(_ variants: [(name: String, weight: Int)]) throws -> Route {
        let first = Objects.stage("clean", Signature(inputs: [Objects.features], outputs: [Objects.features]), [Objects.variant("clean-9")])
        let last = Objects.stage("score", Objects.signature, variants.map { Objects.variant($0.name, weight: $0.weight) })
        let state = RouteState(Objects.application("tumour", [first, last]), RouteSurroundings(pods: [:]))
        guard case .serving(let route) = state else { throw PredictionError.malformed("\(state)") }
        return route
    }

    @Test func `the last stage is answered by that version alone, also without a weight`() throws {
        let route = try route([("tumour-3", 100), ("tumour-4", 0)])
        #expect(route.versions == [3, 4])
        for version in [3, 4] {
            let pinned = try route.pinned(to: version)
            #expect(pinned.stages[1].variants.map(\.version) == [version])
            #expect(pinned.stages[1].draw(nil, Dice()) == 0)
            #expect(pinned.stages[0].variants.map(\.version) == [9])
        }
    }

    @Test func `two variants of one version share by weight, or evenly`() throws {
        let kept = try route([("tumour-3", 0), ("tumour-4", 50), ("other-3", 10)]).pinned(to: 3)
        #expect(Set((0..<100).map { _ in kept.stages[1].draw(nil, Dice()) }) == [1])
        let even = try route([("tumour-3", 0), ("tumour-4", 50), ("other-3", 0)]).pinned(to: 3)
        #expect(Set((0..<100).map { _ in even.stages[1].draw(nil, Dice()) }) == [0, 1])
    }

    @Test func `an unknown version is told which there are`() throws {
        let route = try route([("tumour-4", 1), ("tumour-3", 1)])
        do throws(PredictionError) {
            _ = try route.pinned(to: 9)
            Issue.record("version 9 was served")
        } catch {
            #expect("\(error)" == #"wanted version 9 of application "default/tumour", found 3, 4"#)
            #expect(HTTPFault(error).status == 404)
        }
    }
}
