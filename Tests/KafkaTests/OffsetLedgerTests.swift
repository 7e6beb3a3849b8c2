// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Kafka

struct OffsetLedgerTests {
    private let one = KafkaPartition("t", 0)
    private let two = KafkaPartition("t", 1)

    private func ledger(_ offsets: [Int64]) throws -> (OffsetLedger, assignment: Int) {
        var ledger = OffsetLedger()
        ledger.assign([one])
        var assignment = 0
        for offset in offsets {
            let taken = ledger.take(one, offset)
            assignment = try #require(taken)
        }
        return (ledger, assignment)
    }

    @Test func `nothing is due before the first record is finished, however many behind it are`() throws {
        var (ledger, assignment) = try ledger([0, 1, 2])
        ledger.finish(one, 1, assignment: assignment)
        ledger.finish(one, 2, assignment: assignment)
        #expect(ledger.due.isEmpty)
        ledger.finish(one, 0, assignment: assignment)
        #expect(ledger.due.map(\.next) == [3])
    }

    @Test func `a record is in flight until its offset is committed`() throws {
        var (ledger, assignment) = try ledger([10, 11, 12])
        ledger.finish(one, 10, assignment: assignment)
        #expect(ledger.inFlight == 3)
        ledger.commit([(one, 11)])
        #expect(ledger.inFlight == 2)
        #expect(ledger.due.isEmpty)
        #expect(ledger.position(of: one) == 11)
    }

    @Test func `offsets with gaps are passed over`() throws {
        var (ledger, assignment) = try ledger([5, 9, 70])
        for offset: Int64 in [9, 5] { ledger.finish(one, offset, assignment: assignment) }
        #expect(ledger.due.map(\.next) == [10])
        ledger.finish(one, 70, assignment: assignment)
        #expect(ledger.due.map(\.next) == [71])
    }

    @Test func `what finishes after its partition went and came back counts for nothing`() throws {
        var (ledger, assignment) = try ledger([0])
        ledger.revoke([one])
        #expect(ledger.inFlight == 0)
        ledger.finish(one, 0, assignment: assignment)
        ledger.assign([one, two])
        _ = ledger.take(one, 0)
        ledger.finish(one, 0, assignment: assignment)
        #expect(ledger.due.isEmpty)
        #expect(ledger.unfinished(in: [one, two]) == 1)
        let stranger = ledger.take(KafkaPartition("other", 0), 0)
        #expect(stranger == nil)
    }

    @Test(arguments: 1...20) func `in any order of finishing, what is due is the finished prefix`(seed: Int) throws {
        var random = Steady(UInt64(seed))
        let offsets = Array(Int64(0)..<600)
        var (ledger, assignment) = try ledger(offsets)
        var finished: Set<Int64> = []
        for offset in offsets.shuffled(using: &random) {
            ledger.finish(one, offset, assignment: assignment)
            finished.insert(offset)
            let prefix = offsets.firstIndex { !finished.contains($0) } ?? offsets.count
            if let due = ledger.due.first {
                #expect(due.next == Int64(prefix))
                if .random(using: &random) { ledger.commit(ledger.due.map { ($0.partition, $0.next) }) }
            }
        }
        ledger.commit(ledger.due.map { ($0.partition, $0.next) })
        #expect(ledger.inFlight == 0)
        #expect(ledger.position(of: one) == 600)
    }
}

/// Random numbers that are the same each time.
struct Steady: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
