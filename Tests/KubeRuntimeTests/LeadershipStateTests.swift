// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Testing

@testable import KubeRuntime

struct LeadershipStateTests {
    static let key = ObjectKey("hydro", "leader")
    static let wall = Timestamp(seconds: 1_700_000_000)

    static func lease(holder: String?, version: String = "1", duration: Int = 15) -> Lease {
        var lease = Lease()
        lease.metadata = ObjectMeta(key)
        lease.metadata.resourceVersion = version
        lease.spec.holderIdentity = holder
        lease.spec.leaseDurationSeconds = duration
        lease.spec.leaseTransitions = 3
        return lease
    }

    var state = LeadershipState(key: key, identity: "us", timing: LeadershipTiming())

    mutating func next(_ now: Duration) -> LeadershipState.Step { state.next(now: now, wall: Self.wall, draw: 0) }

    mutating func expect(_ wanted: LeadershipState.Step, at now: Duration, _ location: SourceLocation = #_sourceLocation) {
        let found = next(now)
        #expect(found == wanted, sourceLocation: location)
    }

    @Test mutating func `without a lease we make one, and lead from before it was sent`() throws {
        expect(.read, at: .zero)
        state.observed(nil, at: .zero)
        guard case .create(let claim) = next(.zero) else { throw Unexpected() }
        #expect(claim.spec.holderIdentity == "us")
        #expect(claim.spec.leaseDurationSeconds == 15)
        #expect(claim.spec.leaseTransitions == 0)
        #expect(state.leadsUntil(at: .seconds(1)) == nil)
        state.wrote(claim, sent: .seconds(1), at: .seconds(2))
        #expect(state.leadsUntil(at: .seconds(2)) == .seconds(11))
        #expect(state.leadsUntil(at: .seconds(11)) == nil)
        expect(.wait(until: .seconds(3)), at: .seconds(2))
    }

    @Test mutating func `a rival's lease is taken only when it did not change for its duration, as seen by us`() throws {
        state.observed(Self.lease(holder: "them"), at: .seconds(100))
        expect(.wait(until: .seconds(102)), at: .seconds(100))
        expect(.read, at: .seconds(102))
        state.observed(Self.lease(holder: "them", version: "2"), at: .seconds(103))
        expect(.wait(until: .seconds(105)), at: .seconds(103))
        state.observed(Self.lease(holder: "them", version: "2"), at: .seconds(117))
        expect(.wait(until: .seconds(118)), at: .seconds(117))
        state.observed(Self.lease(holder: "them", version: "2"), at: .seconds(118))
        guard case .replace(let claim) = next(.seconds(118)) else { throw Unexpected() }
        #expect(claim.metadata.resourceVersion == "2")
        #expect(claim.spec.leaseTransitions == 4)
    }

    @Test(arguments: [nil, ""]) mutating func `a lease that was given back is taken at once`(holder: String?) throws {
        state.observed(Self.lease(holder: holder, duration: 1), at: .zero)
        guard case .replace(let claim) = next(.zero) else { throw Unexpected() }
        #expect(claim.spec.holderIdentity == "us")
        #expect(claim.spec.acquireTime == MicroTime(Self.wall))
    }

    @Test mutating func `renewing keeps term, time of acquisition and transitions`() throws {
        lead(from: .zero)
        #expect(state.term == 1)
        guard case .replace(let renewal) = next(.seconds(2)) else { throw Unexpected() }
        #expect(renewal.spec.leaseTransitions == 4)
        state.wrote(renewal, sent: .seconds(2), at: .seconds(2.5))
        #expect(state.leadsUntil(at: .seconds(3)) == .seconds(12))
        #expect(state.term == 1)
    }

    @Test mutating func `failures are tried again soon, and a renewal that comes too late begins a new term`() throws {
        lead(from: .zero)
        state.failed(at: .seconds(5), draw: 0)
        expect(.wait(until: .seconds(6)), at: .seconds(5))
        expect(.read, at: .seconds(6))
        state.observed(Self.lease(holder: "us", version: "9"), at: .seconds(6))
        #expect(state.leadsUntil(at: .seconds(6)) == .seconds(10))
        guard case .replace(let renewal) = next(.seconds(9)) else { throw Unexpected() }
        state.wrote(renewal, sent: .seconds(9), at: .seconds(10))
        #expect(state.term == 2)
        #expect(state.leadsUntil(at: .seconds(10)) == .seconds(19))
    }

    @Test(arguments: ["them", nil]) mutating func `a lease that is no longer ours ends the lead at once`(holder: String?) {
        lead(from: .zero)
        state.conflicted()
        expect(.read, at: .seconds(2))
        state.observed(holder.map { Self.lease(holder: $0, version: "7") }, at: .seconds(2))
        #expect(state.leadsUntil(at: .seconds(2)) == nil)
    }

    @Test mutating func `giving back frees our lease and nobody else's`() {
        lead(from: .zero)
        state.stepDown()
        #expect(state.leadsUntil(at: .seconds(1)) == nil)
        let freed = state.freed(wall: Self.wall)
        #expect(freed?.spec.holderIdentity == nil)
        #expect(freed?.spec.leaseDurationSeconds == 1)
        state.observed(Self.lease(holder: "them"), at: .seconds(1))
        #expect(state.freed(wall: Self.wall) == nil)
    }

    private struct Unexpected: Error {}

    private mutating func lead(from now: Duration) {
        state.observed(Self.lease(holder: nil), at: now)
        if case .replace(let claim) = next(now) { state.wrote(claim, sent: now, at: now) }
    }
}

/// Candidates, one server, and a network that delays, loses and cuts off: never two leaders.
struct ElectionTests {
    private struct Server {
        var lease: Lease?
        var version = 0

        mutating func write(_ claim: Lease) -> Lease? {
            guard claim.metadata.resourceVersion == lease?.metadata.resourceVersion ?? "" else { return nil }
            version += 1
            var written = claim
            written.metadata.resourceVersion = "\(version)"
            lease = written
            return written
        }
    }

    private enum Answer {
        case found(Lease?), written(Lease), conflict, lost
    }

    private struct Candidate {
        var state: LeadershipState
        var sent = Duration.zero
        /// What is on its way to the server, and what comes back, with the times of arrival.
        var request: (at: Duration, step: LeadershipState.Step)?
        var answer: (at: Duration, Answer)?
        var isCutOff = false
    }

    @Test(arguments: 0..<12) func `of several candidates on a bad network at most one leads, and in the end one does`(seed: UInt64) {
        var random = Linear(state: seed)
        var server = Server()
        // A margin shorter than an attempt, so that it matters from when a lead is counted.
        let timing = LeadershipTiming(lease: .seconds(15), renewDeadline: .seconds(14), retry: .seconds(2), attempt: .seconds(5))
        var candidates = (0..<3).map {
            Candidate(state: LeadershipState(key: LeadershipStateTests.key, identity: "c\($0)", timing: timing))
        }
        var led: Set<Int> = []
        var terms = 0
        for tick in 0..<6000 {
            let now = Duration.milliseconds(100 * tick)
            // In the last fifth the network is well.
            let isBad = tick < 4800
            for index in candidates.indices {
                let odds = candidates[index].isCutOff ? 200 : 60
                if isBad, Int.random(in: 0..<odds, using: &random) == 0 { candidates[index].isCutOff.toggle() }
                if !isBad { candidates[index].isCutOff = false }
                step(&candidates[index], &server, now: now, isBad: isBad, random: &random)
            }
            let leaders = candidates.indices.filter { candidates[$0].state.leadsUntil(at: now) != nil }
            #expect(leaders.count <= 1, "seed \(seed), at \(now): \(leaders)")
            led.formUnion(leaders)
            if tick == 5999 { #expect(leaders.count == 1) }
        }
        terms = candidates.map(\.state.term).reduce(0, +)
        #expect(!led.isEmpty && terms >= led.count)
    }

    private func step(_ it: inout Candidate, _ server: inout Server, now: Duration, isBad: Bool, random: inout Linear) {
        if let request = it.request, request.at <= now {
            it.request = nil
            let answer: Answer =
                switch request.step {
                case .read: .found(server.lease)
                case .create(let claim), .replace(let claim): server.write(claim).map { .written($0) } ?? .conflict
                case .wait: .lost
                }
            let isLost = it.isCutOff || (isBad && Int.random(in: 0..<10, using: &random) == 0)
            if !isLost { it.answer = (now + delay(isBad, &random), answer) }
        }
        if let (at, answer) = it.answer, at <= now {
            it.answer = nil
            it.request = nil
            switch answer {
            case .found(let lease): it.state.observed(lease, at: now)
            case .written(let lease): it.state.wrote(lease, sent: it.sent, at: now)
            case .conflict: it.state.conflicted()
            case .lost: break
            }
            it.sent = .seconds(-100)
        }
        let isWaiting = it.sent > .seconds(-100) && it.sent != .zero
        if isWaiting, now < it.sent + .seconds(5) { return }
        if isWaiting {
            // The attempt timed out here; what it asked for may still arrive there.
            it.answer = nil
            it.sent = .seconds(-100)
            it.state.failed(at: now, draw: Double.random(in: 0..<1, using: &random))
        }
        let step = it.state.next(now: now, wall: LeadershipStateTests.wall, draw: Double.random(in: 0..<1, using: &random))
        if case .wait = step { return }
        it.sent = now
        if !it.isCutOff, it.request == nil { it.request = (now + delay(isBad, &random), step) }
    }

    private func delay(_ isBad: Bool, _ random: inout Linear) -> Duration {
        .milliseconds(Int.random(in: 10...(isBad && Int.random(in: 0..<10, using: &random) < 3 ? 6000 : 200), using: &random))
    }
}
