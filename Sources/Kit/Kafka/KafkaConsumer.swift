// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CRdKafka
package import Logging
import Synchronization

/// A member of a group: reads the records of the partitions that it is given, and commits what is finished.
///
/// At most `maxInFlight` records are read and not committed, which is what a killed process leaves to be read again. Without room,
/// fetching is paused. A partition that goes to another member is kept until its records in flight are finished and committed, or the
/// limit is over.
package final class KafkaConsumer: @unchecked Sendable {
    // SAFETY: everything of `client` and `commits` is called on the client's thread, but for `rd_kafka_commit_queue`, which may be called
    // from any and is called inside `state`'s lock while that says that the client is open. `fullSince`, `isPaused`, `measured` are the
    // thread's own.

    package enum Event: Sendable {
        case assigned([KafkaPartition])
        case record(KafkaRecord)
        /// Ours no longer: what is still in flight of them counts for nothing.
        case revoked([KafkaPartition])
    }

    /// What happens in order: at most `maxInFlight` records and a few others wait here. Ends when the consumer has left its group.
    package let events: AsyncStream<Event>

    let settings: KafkaConsumerSettings
    let client: KafkaClient
    let commits: OpaquePointer
    let feed: AsyncStream<Event>.Continuation
    let state = Mutex(ConsumerState())
    var fullSince: ContinuousClock.Instant?
    var isPaused = false
    var measured = ContinuousClock.now

    /// Starts the client's thread; `close` must follow. No broker has to be there.
    package init(_ brokers: KafkaBrokers, _ settings: KafkaConsumerSettings, logger: Logger) throws(KafkaError) {
        self.settings = settings
        client = try KafkaClient(RD_KAFKA_CONSUMER, brokers.properties + settings.properties, logger: logger)
        rd_kafka_poll_set_consumer(client.handle)
        commits = rd_kafka_queue_new(client.handle)
        (events, feed) = AsyncStream.makeStream()
        client.onRebalance = { [weak self] code, partitions in self?.rebalance(code, partitions) }
        client.start(named: "kafka consumer") { [self] in run() }
    }

    /// The record has been dealt with: its result is where it belongs. Any thread, any order.
    package func finish(_ record: KafkaRecord) {
        state.withLock { state in
            state.ledger.finish(record.partition, record.offset, assignment: record.assignment)
            commit(&state, force: state.ledger.inFlight >= settings.maxInFlight)
        }
    }

    /// Reads no more, waits for what is in flight until the limit, commits what is finished, and leaves the group.
    package func close(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            let isGone = state.withLock { state in
                state.closeBy = min(state.closeBy ?? .now + limit, .now + limit)
                if !state.isGone { state.whenClosed.append(continuation) }
                return state.isGone
            }
            if isGone { continuation.resume() }
        }
    }

    package var statistics: KafkaConsumerStatistics {
        state.withLock { state in
            var seen = state.statistics
            seen.inFlight = state.ledger.inFlight
            seen.partitions = state.ledger.partitions.count
            return seen
        }
    }

    /// What keeps records from coming: of the topic or the group, until partitions are given to us; or what ended the client.
    ///
    /// Connections that fail are for a producer's `check` to find.
    package var trouble: KafkaError? {
        state.withLock { $0.trouble } ?? client.lastTrouble.flatMap { $0.kind == .fatal ? $0 : nil }
    }
}

/// What has happened since the start, and how things are now.
package struct KafkaConsumerStatistics: Sendable, Equatable {
    package var records = 0
    package var commits = 0
    package var commitsFailed = 0
    package var pauses = 0
    package var rebalances = 0
    /// Read and not committed.
    package var inFlight = 0
    package var partitions = 0
    /// Records of our partitions that are not committed, as of the last fetch.
    package var lag: Int64 = 0
    package var isPaused = false

    package init() {}
}

/// What the client's thread shares with those who finish records.
struct ConsumerState {
    var ledger = OffsetLedger()
    var isCommitting = false
    var hasFailedToCommit = false
    var mayCommitAt = ContinuousClock.now
    var closeBy: ContinuousClock.Instant?
    /// No call may be made any more.
    var isGone = false
    var whenClosed: [CheckedContinuation<Void, Never>] = []
    var statistics = KafkaConsumerStatistics()
    var trouble: KafkaError?
}
