// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Which offsets of which partitions have been taken, finished and committed.
///
/// A partition's committed offset never passes a record that is not finished, in whatever order records finish. Offsets may have gaps.
struct OffsetLedger: Sendable {
    fileprivate struct Lane {
        var assignment: Int
        /// Taken and not committed, lowest first; those before `head` are gone.
        var taken: [(offset: Int64, isFinished: Bool)] = []
        var head = 0
        /// Behind the last record of the finished ones at the front, which is where a new owner would begin.
        var next: Int64?
        var committed: Int64?
    }

    private var lanes: [KafkaPartition: Lane] = [:]
    private var assignments = 0
    /// Records that have been taken and not committed.
    private(set) var inFlight = 0

    var partitions: [KafkaPartition] { Array(lanes.keys) }

    /// Partitions are ours from now on.
    mutating func assign(_ partitions: [KafkaPartition]) {
        assignments += 1
        for partition in partitions {
            drop(partition)
            lanes[partition] = Lane(assignment: assignments)
        }
    }

    /// Partitions are ours no longer; what was in flight counts for nothing.
    mutating func revoke(_ partitions: [KafkaPartition]) { for partition in partitions { drop(partition) } }

    private mutating func drop(_ partition: KafkaPartition) {
        guard let lane = lanes.removeValue(forKey: partition) else { return }
        inFlight -= lane.taken.count - lane.head
    }

    /// A record was read; the assignment that it belongs to, or nil where the partition is not ours.
    mutating func take(_ partition: KafkaPartition, _ offset: Int64) -> Int? {
        guard let assignment = lanes[partition]?.assignment else { return nil }
        lanes[partition]?.taken.append((offset, false))
        inFlight += 1
        return assignment
    }

    /// The record has been dealt with. Cost: logarithmic in what is in flight of the partition.
    mutating func finish(_ partition: KafkaPartition, _ offset: Int64, assignment: Int) {
        guard lanes[partition]?.assignment == assignment else { return }
        lanes[partition]?.finish(offset)
    }

    /// Where to commit: behind what is finished without a gap, if that has moved since the last commit.
    var due: [(partition: KafkaPartition, next: Int64)] {
        lanes.compactMap { partition, lane in lane.next.flatMap { $0 == lane.committed ? nil : (partition, $0) } }
    }

    /// The broker has acknowledged these.
    mutating func commit(_ offsets: [(partition: KafkaPartition, next: Int64)]) {
        for (partition, next) in offsets {
            guard let before = lanes[partition]?.unsettled else { continue }
            lanes[partition]?.commit(next)
            inFlight -= before - (lanes[partition]?.unsettled ?? 0)
        }
    }

    /// How many of the partitions' records are not finished.
    func unfinished(in partitions: [KafkaPartition]) -> Int {
        partitions.reduce(0) { sum, partition in
            guard let lane = lanes[partition] else { return sum }
            return sum + lane.taken[lane.head...].count { !$0.isFinished }
        }
    }

    /// Where a new owner would begin, as far as it is known here.
    func position(of partition: KafkaPartition) -> Int64? {
        guard let lane = lanes[partition] else { return nil }
        return lane.committed ?? (lane.head < lane.taken.count ? lane.taken[lane.head].offset : nil)
    }
}

extension OffsetLedger.Lane {
    var unsettled: Int { taken.count - head }

    mutating func finish(_ offset: Int64) {
        var (low, high) = (head, taken.count)
        while low < high {
            let middle = (low + high) / 2
            if taken[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        guard low < taken.count, taken[low].offset == offset else { return }
        taken[low].isFinished = true
        // From the first record that is not finished: those before have been counted.
        var place = low
        guard place == head || next == taken[place - 1].offset + 1 else { return }
        while place < taken.count, taken[place].isFinished {
            next = taken[place].offset + 1
            place += 1
        }
    }

    mutating func commit(_ next: Int64) {
        committed = next
        while head < taken.count, taken[head].offset < next { head += 1 }
        if head > 256, head * 2 > taken.count {
            taken.removeFirst(head)
            head = 0
        }
    }
}
