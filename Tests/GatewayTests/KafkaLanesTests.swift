// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Kafka
import Testing

@testable import Gateway

struct KafkaLanesTests {
    private static let partition = KafkaPartition("in", 0)

    private static func record(_ offset: Int64, assignment: Int = 1) -> KafkaRecord {
        var record = KafkaRecord(partition: partition, offset: offset)
        record.assignment = assignment
        return record
    }

    private static func ticket(_ offset: Int64, assignment: Int = 1) -> KafkaLanes.Ticket {
        KafkaLanes.Ticket(partition: partition, assignment: assignment, offset: offset)
    }

    private static func result(_ offset: Int64) -> KafkaLanes.Outcome {
        KafkaLanes.Outcome(message: KafkaMessage(topic: "out", key: nil, value: [UInt8(offset)]))
    }

    private func lanes(_ count: Int64) -> KafkaLanes {
        var lanes = KafkaLanes()
        for offset in 0..<count { _ = lanes.take(Self.record(offset)) }
        return lanes
    }

    @Test func `results are produced in the order of their messages, whichever is done first`() {
        var lanes = lanes(3)
        #expect(lanes.worked(Self.ticket(2), Self.result(2)).told.isEmpty)
        #expect(lanes.worked(Self.ticket(0), Self.result(0)).told == ["produce 0"])
        #expect(lanes.worked(Self.ticket(1), Self.result(1)).told == ["produce 1", "produce 2"])
        #expect(lanes.delivered(Self.ticket(1), nil).told == ["finish 1"])
        #expect(lanes.delivered(Self.ticket(0), nil).told == ["finish 0"])
        #expect(lanes.delivered(Self.ticket(0), nil).told.isEmpty)
    }

    @Test func `a broker's refusal holds the lane until all is back, and then what failed goes first`() {
        let down = KafkaError(.brokersDown, "away")
        var lanes = lanes(3)
        _ = lanes.worked(Self.ticket(0), Self.result(0))
        _ = lanes.worked(Self.ticket(1), Self.result(1))
        #expect(lanes.delivered(Self.ticket(0), down).told.isEmpty)
        #expect(lanes.worked(Self.ticket(2), Self.result(2)).told.isEmpty)
        #expect(lanes.delivered(Self.ticket(1), down).told == ["rest 1"])
        #expect(lanes.wake(Self.partition).told == ["produce 0", "produce 1", "produce 2"])
        for offset: Int64 in 0..<3 { _ = lanes.delivered(Self.ticket(offset), down) }
        #expect(lanes.wake(Self.partition).told == ["produce 0", "produce 1", "produce 2"])
        #expect(lanes.delivered(Self.ticket(0), nil).told == ["finish 0"])
    }

    @Test func `a result that is too large comes back to be replaced, and holds up nobody before it`() {
        var lanes = lanes(2)
        _ = lanes.worked(Self.ticket(0), Self.result(0))
        let refused = lanes.delivered(Self.ticket(0), KafkaError(.tooLarge, "too large"))
        #expect(refused.told == ["refused 0"])
        #expect(lanes.worked(Self.ticket(1), Self.result(1)).told.isEmpty)
        #expect(lanes.worked(Self.ticket(0), KafkaLanes.Outcome(isFailure: true)).told == ["finish 0", "produce 1"])
    }

    @Test func `of a partition that went, nothing is produced any more`() {
        var lanes = lanes(2)
        lanes.revoke([Self.partition])
        #expect(lanes.worked(Self.ticket(0), Self.result(0)).told.isEmpty)
        _ = lanes.take(Self.record(0, assignment: 2))
        #expect(lanes.worked(Self.ticket(0), Self.result(0)).told.isEmpty)
        #expect(lanes.worked(Self.ticket(0, assignment: 2), Self.result(0)).told == ["produce 0"])
    }

    @Test func `a message may fail for the same reason again, or heal, by what the reason is`() {
        #expect(KafkaPatience(.malformed("x")) == .none)
        #expect(KafkaPatience(.invalidInput([])) == .none)
        #expect(KafkaPatience(.brokenContract(model: "m", "x")) == .none)
        #expect(KafkaPatience(.unavailable(model: "m", "x")) == .wait)
        #expect(KafkaPatience(.deadlineExceeded(after: .seconds(1))) == .few)
        #expect(KafkaPatience(.lost(model: "m", "x")) == .few)
    }
}

extension [KafkaLanes.Action] {
    fileprivate var told: [String] {
        compactMap { action in
            switch action {
            case .work: nil
            case .produce(_, let ticket): "produce \(ticket.offset)"
            case .finish(let record, _): "finish \(record.offset)"
            case .refused(let record, _, _, _): "refused \(record.offset)"
            case .rest(_, let failures): "rest \(failures)"
            }
        }
    }
}
