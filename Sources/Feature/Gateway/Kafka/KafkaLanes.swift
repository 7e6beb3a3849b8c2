// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Kafka

/// The records of an entry between being read and being answered, in the order of their partitions.
///
/// Work on the records of a partition overlaps; what comes of it is produced in their order. When a broker does not take something, the lane
/// stands still until everything under way has come back, and goes on from there.
struct KafkaLanes: Sendable {
    /// Names a record: what comes back late, for a partition that went meanwhile, finds nothing.
    struct Ticket: Hashable, Sendable {
        var partition: KafkaPartition
        var assignment: Int
        var offset: Int64
    }

    /// What came of a record.
    struct Outcome: Sendable, Equatable {
        /// Nil where there is nowhere to write it to.
        var message: KafkaMessage?
        var isFailure = false
    }

    enum Action: Sendable {
        case work(KafkaRecord, Ticket)
        case produce(KafkaMessage, Ticket)
        /// Its outcome is where it belongs.
        case finish(KafkaRecord, Outcome)
        /// What was to be written can never be: write of that, or give up.
        case refused(KafkaRecord, Outcome, KafkaError, Ticket)
        /// Call `wake` after so many failures in a row.
        case rest(KafkaPartition, failures: Int)
    }

    fileprivate enum Stage {
        case working
        case ready(Outcome)
        case sent(Outcome)
        case done
    }

    fileprivate struct Slot {
        var record: KafkaRecord
        var stage = Stage.working
    }

    fileprivate struct Lane {
        var assignment: Int
        var slots: [Slot] = []
        var isHeld = false
        var isResting = false
        var failures = 0
    }

    private var lanes: [KafkaPartition: Lane] = [:]

    mutating func take(_ record: KafkaRecord) -> [Action] {
        let ticket = Ticket(partition: record.partition, assignment: record.assignment, offset: record.offset)
        if lanes[record.partition]?.assignment != record.assignment {
            lanes[record.partition] = Lane(assignment: record.assignment)
        }
        lanes[record.partition]?.slots.append(Slot(record: record))
        return [.work(record, ticket)]
    }

    mutating func revoke(_ partitions: [KafkaPartition]) { for partition in partitions { lanes[partition] = nil } }

    /// The work on a record is done.
    mutating func worked(_ ticket: Ticket, _ outcome: Outcome) -> [Action] {
        guard let place = place(of: ticket) else { return [] }
        lanes[ticket.partition]?.slots[place].stage = .ready(outcome)
        return advance(ticket.partition)
    }

    /// The broker has answered for a record's outcome.
    mutating func delivered(_ ticket: Ticket, _ failure: KafkaError?) -> [Action] {
        guard let place = place(of: ticket), let slot = lanes[ticket.partition]?.slots[place], case .sent(let outcome) = slot.stage else {
            return []
        }
        guard let failure else {
            lanes[ticket.partition]?.failures = 0
            lanes[ticket.partition]?.slots[place].stage = .done
            return [.finish(slot.record, outcome)] + advance(ticket.partition)
        }
        if failure.isRetriable || failure.kind == .closed {
            lanes[ticket.partition]?.isHeld = true
            lanes[ticket.partition]?.slots[place].stage = .ready(outcome)
            return advance(ticket.partition)
        }
        lanes[ticket.partition]?.slots[place].stage = .working
        return [.refused(slot.record, outcome, failure, ticket)] + advance(ticket.partition)
    }

    /// The rest is over.
    mutating func wake(_ partition: KafkaPartition) -> [Action] {
        lanes[partition]?.isHeld = false
        lanes[partition]?.isResting = false
        return advance(partition)
    }

    private func place(of ticket: Ticket) -> Int? {
        guard let lane = lanes[ticket.partition], lane.assignment == ticket.assignment else { return nil }
        var (low, high) = (0, lane.slots.count)
        while low < high {
            let middle = (low + high) / 2
            if lane.slots[middle].record.offset < ticket.offset { low = middle + 1 } else { high = middle }
        }
        return low < lane.slots.count && lane.slots[low].record.offset == ticket.offset ? low : nil
    }

    /// Produces what is ready, up to the first record that is not.
    private mutating func advance(_ partition: KafkaPartition) -> [Action] {
        guard var lane = lanes.removeValue(forKey: partition) else { return [] }
        defer { lanes[partition] = lane }
        guard !lane.isHeld else { return lane.rest(partition) }
        var actions: [Action] = []
        for place in lane.slots.indices {
            if case .working = lane.slots[place].stage { break }
            guard case .ready(let outcome) = lane.slots[place].stage else { continue }
            let record = lane.slots[place].record
            if let message = outcome.message {
                lane.slots[place].stage = .sent(outcome)
                actions.append(
                    .produce(message, Ticket(partition: partition, assignment: record.assignment, offset: record.offset)))
            } else {
                lane.slots[place].stage = .done
                actions.append(.finish(record, outcome))
            }
        }
        lane.forgetDone()
        return actions
    }
}

extension KafkaLanes.Lane {
    /// Once nothing is under way any more, asks to be woken.
    fileprivate mutating func rest(_ partition: KafkaPartition) -> [KafkaLanes.Action] {
        let isUnderWay = slots.contains { if case .sent = $0.stage { true } else { false } }
        guard !isUnderWay, !isResting else { return [] }
        isResting = true
        failures += 1
        return [.rest(partition, failures: failures)]
    }

    fileprivate mutating func forgetDone() {
        let first = slots.firstIndex { if case .done = $0.stage { false } else { true } } ?? slots.count
        if first > 0 { slots.removeFirst(first) }
    }
}
