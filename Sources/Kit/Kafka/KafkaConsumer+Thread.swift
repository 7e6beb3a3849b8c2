// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CRdKafka
import Synchronization

// What runs on the client's thread.
extension KafkaConsumer {
    /// How long there may be no room before fetching is paused: shorter, and a busy hour would throw away what was fetched ahead.
    private static let patience: Duration = .milliseconds(200)

    func run() {
        subscribe()
        while isRunning {
            serveCommits(waiting: 0)
            commitIfDue()
            measureLag()
            if hasRoom { poll(50) } else { waitForRoom() }
        }
        leave()
    }

    private func subscribe() {
        guard let list = rd_kafka_topic_partition_list_new(1) else { return }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        rd_kafka_topic_partition_list_add(list, settings.topic, -1)
        let code = rd_kafka_subscribe(client.handle, list)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { state.withLock { $0.trouble = KafkaError(code) } }
    }

    /// Until everybody has been told to stop, or the client is of no use.
    private var isRunning: Bool { client.lastTrouble?.kind != .fatal && state.withLock { $0.closeBy == nil } }

    /// Once paused, fetching goes on when half of the room is free.
    private var hasRoom: Bool {
        let inFlight = state.withLock { $0.ledger.inFlight }
        guard inFlight < (isPaused ? settings.maxInFlight / 2 + 1 : settings.maxInFlight) else { return false }
        fullSince = nil
        if isPaused { pause(false) }
        return true
    }

    private func waitForRoom() {
        let since = fullSince ?? .now
        fullSince = since
        if !isPaused, .now - since > Self.patience { pause(true) }
        // Paused, nothing comes but what has to be heard in any case: rebalances and errors.
        if isPaused { poll(0) }
        serveCommits(waiting: 10)
    }

    private func pause(_ wanted: Bool) {
        isPaused = wanted
        let partitions = state.withLock { state in
            state.statistics.isPaused = wanted
            if wanted { state.statistics.pauses += 1 }
            return state.ledger.partitions
        }
        Self.list(partitions.map { ($0, nil) }) { list in
            // Of a partition that is ours no longer nothing has to be paused.
            _ = wanted ? rd_kafka_pause_partitions(client.handle, list) : rd_kafka_resume_partitions(client.handle, list)
        }
    }

    private func poll(_ milliseconds: Int32) {
        guard let message = rd_kafka_consumer_poll(client.handle, milliseconds) else { return }
        defer { rd_kafka_message_destroy(message) }
        let code = message.pointee.err
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let text = rd_kafka_message_errstr(message).map { String(cString: $0) }
            state.withLock { $0.trouble = KafkaError(code, text) }
            return
        }
        var record = KafkaRecord(message)
        let assignment = state.withLock { state in
            state.trouble = nil
            state.statistics.records += 1
            return state.ledger.take(record.partition, record.offset)
        }
        guard let assignment else { return }
        record.assignment = assignment
        feed.yield(.record(record))
    }

    private func measureLag() {
        guard .now - measured >= .seconds(1) else { return }
        measured = .now
        let positions = state.withLock { state in state.ledger.partitions.map { ($0, state.ledger.position(of: $0)) } }
        var lag: Int64 = 0
        for (partition, position) in positions {
            var (low, high): (Int64, Int64) = (0, 0)
            guard let position,
                rd_kafka_get_watermark_offsets(client.handle, partition.topic, partition.number, &low, &high)
                    == RD_KAFKA_RESP_ERR_NO_ERROR
            else { continue }
            lag += max(0, high - position)
        }
        state.withLock { $0.statistics.lag = lag }
    }

    /// Drains, then leaves: the group gives our partitions to others at once.
    private func leave() {
        let end = state.withLock { $0.closeBy } ?? .now
        pause(true)
        while state.withLock({ $0.ledger.unfinished(in: $0.ledger.partitions) }) > 0, .now < end, client.lastTrouble?.kind != .fatal {
            serveCommits(waiting: 10)
            commitIfDue()
            poll(0)
        }
        settle(by: max(end, .now + .seconds(1)))
        rd_kafka_consumer_close(client.handle)
        let waiting = state.withLock { state in
            state.isGone = true
            state.ledger.revoke(state.ledger.partitions)
            defer { state.whenClosed = [] }
            return state.whenClosed
        }
        rd_kafka_queue_destroy(commits)
        feed.finish()
        for continuation in waiting { continuation.resume() }
    }
}

// Partitions come and go.
extension KafkaConsumer {
    func rebalance(_ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) {
        let partitions = Self.partitions(list).map(\.partition)
        guard code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else {
            giveUp(partitions)
            return
        }
        state.withLock { state in
            state.ledger.assign(partitions)
            state.statistics.rebalances += 1
            state.trouble = nil
        }
        feed.yield(.assigned(partitions))
        rd_kafka_assign(client.handle, list)
        // The library remembers a pause beyond the assignment that it was made in.
        _ = isPaused ? rd_kafka_pause_partitions(client.handle, list) : rd_kafka_resume_partitions(client.handle, list)
    }

    /// Keeps the partitions until what is in flight is finished and committed, unless they are lost already.
    private func giveUp(_ partitions: [KafkaPartition]) {
        if rd_kafka_assignment_lost(client.handle) == 0 {
            let limit = ContinuousClock.now + settings.revokeLimit
            let end = min(limit, state.withLock { $0.closeBy } ?? limit)
            while state.withLock({ $0.ledger.unfinished(in: partitions) }) > 0, .now < end {
                serveCommits(waiting: 10)
                commitIfDue()
            }
            settle(by: .now + .seconds(2))
        }
        rd_kafka_assign(client.handle, nil)
        state.withLock { state in
            state.ledger.revoke(partitions)
            state.statistics.rebalances += 1
        }
        feed.yield(.revoked(partitions))
    }
}

// Commits.
extension KafkaConsumer {
    func commitIfDue() { state.withLock { commit(&$0, force: $0.ledger.inFlight >= settings.maxInFlight) } }

    /// Commits all that is finished, and waits for the broker's word.
    private func settle(by end: ContinuousClock.Instant) {
        while state.withLock({ $0.isCommitting || !$0.ledger.due.isEmpty }), .now < end, client.lastTrouble?.kind != .fatal {
            state.withLock { commit(&$0, force: true) }
            serveCommits(waiting: 10)
        }
    }

    private func serveCommits(waiting milliseconds: Int32) { rd_kafka_queue_poll_callback(commits, milliseconds) }

    /// One commit is under way at a time; what is finished meanwhile goes with the next.
    func commit(_ state: inout ConsumerState, force: Bool) {
        guard !state.isCommitting, !state.isGone, (force && !state.hasFailedToCommit) || .now >= state.mayCommitAt else { return }
        let due = state.ledger.due
        guard !due.isEmpty else { return }
        let note = Unmanaged.passRetained(CommitNote(self))
        let code = Self.list(due.map { ($0.partition, $0.next) }) { list in
            rd_kafka_commit_queue(client.handle, list, commits, commitAnswered, note.toOpaque())
        }
        state.mayCommitAt = .now + settings.commitLinger
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { state.isCommitting = true } else { note.release() }
    }

    func committed(_ code: rd_kafka_resp_err_t, _ offsets: [(partition: KafkaPartition, next: Int64)]) {
        state.withLock { state in
            state.isCommitting = false
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                state.statistics.commits += 1
                state.hasFailedToCommit = false
                state.ledger.commit(offsets)
            } else {
                // Tried again with the next; a member that was thrown out hears of it by a rebalance.
                state.statistics.commitsFailed += 1
                state.hasFailedToCommit = true
                state.mayCommitAt = .now + .milliseconds(200)
            }
        }
    }

    static func partitions(
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    ) -> [(partition: KafkaPartition, next: Int64, code: rd_kafka_resp_err_t)] {
        guard let list, let elements = list.pointee.elems else { return [] }
        return (0..<Int(list.pointee.cnt)).map { place in
            let one = elements[place]
            return (KafkaPartition(String(cString: one.topic), one.partition), one.offset, one.err)
        }
    }

    static func list<Value>(
        _ partitions: [(KafkaPartition, Int64?)], _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> Value
    ) -> Value {
        let list = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        defer { if let list { rd_kafka_topic_partition_list_destroy(list) } }
        for (partition, offset) in partitions {
            let added = rd_kafka_topic_partition_list_add(list, partition.topic, partition.number)
            if let offset { added?.pointee.offset = offset }
        }
        return body(list)
    }
}

/// Holds the consumer until the broker has answered a commit.
private final class CommitNote {
    let consumer: KafkaConsumer
    init(_ consumer: KafkaConsumer) { self.consumer = consumer }
}

private func commitAnswered(
    _ handle: OpaquePointer?, _ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
    _ context: UnsafeMutableRawPointer?
) {
    guard let context else { return }
    let note = Unmanaged<CommitNote>.fromOpaque(context).takeRetainedValue()
    let offsets = KafkaConsumer.partitions(list)
    let failure = offsets.first { $0.code != RD_KAFKA_RESP_ERR_NO_ERROR }?.code
    note.consumer.committed(failure ?? code, offsets.map { ($0.partition, $0.next) })
}

extension KafkaRecord {
    init(_ pointer: UnsafeMutablePointer<rd_kafka_message_t>) {
        let message = pointer.pointee
        let topic = message.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        self.init(
            partition: KafkaPartition(topic, message.partition), offset: message.offset,
            key: Self.bytes(message.key, message.key_len), value: Self.bytes(message.payload, message.len))
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let moment = rd_kafka_message_timestamp(pointer, &type)
        timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || moment < 0 ? nil : moment
        var list: OpaquePointer?
        guard rd_kafka_message_headers(pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return }
        for place in 0..<rd_kafka_header_cnt(list) {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            guard rd_kafka_header_get_all(list, place, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let name else { continue }
            headers.append(KafkaHeader(String(cString: name), Self.bytes(value.map(UnsafeMutableRawPointer.init(mutating:)), size) ?? []))
        }
    }

    private static func bytes(_ pointer: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8]? {
        pointer.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) }
    }
}
