// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import Kafka
import KubeCore
import Metrics
import Synchronization

/// What the metrics tell of one entry.
final class KafkaMeters: Sendable {
    /// What became of a message.
    enum Outcome: String, CaseIterable {
        case answered
        /// Written to the error topic.
        case failed
        /// Failed without an error topic.
        case dropped
    }

    private let outcomes: [Outcome: Counter]
    private let retries: Counter
    private let commits: Counter
    private let commitsFailed: Counter
    private let gauges: (lag: Meter, inFlight: Meter, paused: Meter, partitions: Meter)
    /// What the counters have been told of the client at hand.
    private let told = Mutex(KafkaConsumerStatistics())

    init(_ wish: KafkaWish) {
        let labels = [
            ("namespace", wish.application.namespace), ("application", wish.application.name), ("topic", wish.entry.sourceTopic),
        ]
        outcomes = Dictionary(
            uniqueKeysWithValues: Outcome.allCases.map {
                ($0, Counter(label: "hydro_gateway_kafka_messages_total", dimensions: labels + [("outcome", $0.rawValue)]))
            })
        retries = Counter(label: "hydro_gateway_kafka_retries_total", dimensions: labels)
        commits = Counter(label: "hydro_gateway_kafka_commits_total", dimensions: labels + [("outcome", "acknowledged")])
        commitsFailed = Counter(label: "hydro_gateway_kafka_commits_total", dimensions: labels + [("outcome", "failed")])
        gauges = (
            Meter(label: "hydro_gateway_kafka_lag_messages", dimensions: labels),
            Meter(label: "hydro_gateway_kafka_messages_in_flight", dimensions: labels),
            Meter(label: "hydro_gateway_kafka_paused", dimensions: labels),
            Meter(label: "hydro_gateway_kafka_partitions", dimensions: labels)
        )
    }

    func count(_ outcome: Outcome) { outcomes[outcome]?.increment() }
    func retry() { retries.increment() }

    /// Told each second, and with zeros when the client ends.
    func tell(_ seen: KafkaConsumerStatistics) {
        let before = told.withLock { told in
            defer { told = seen }
            return told
        }
        commits.increment(by: max(0, seen.commits - before.commits))
        commitsFailed.increment(by: max(0, seen.commitsFailed - before.commitsFailed))
        gauges.lag.set(seen.lag)
        gauges.inFlight.set(seen.inFlight)
        gauges.paused.set(seen.isPaused ? 1 : 0)
        gauges.partitions.set(seen.partitions)
    }
}
