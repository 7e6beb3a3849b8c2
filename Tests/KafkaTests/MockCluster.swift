// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CRdKafka
import Logging
import Testing

@testable import Kafka

/// The library's own brokers, on loopback and inside this process.
final class MockCluster: @unchecked Sendable {
    // SAFETY: the library guards the cluster by a lock and a thread of its own.

    private let client: OpaquePointer
    private let cluster: OpaquePointer

    init() throws {
        var text = [CChar](repeating: 0, count: 512)
        client = try #require(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), &text, text.count))
        cluster = try #require(rd_kafka_mock_cluster_new(client, 1))
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    var brokers: KafkaBrokers { KafkaBrokers(String(cString: rd_kafka_mock_cluster_bootstraps(cluster))) }

    func create(_ topic: String, partitions: Int32 = 1) { rd_kafka_mock_topic_create(cluster, topic, partitions, 1) }

    func goDown() { rd_kafka_mock_broker_set_down(cluster, 1) }
    func comeUp() { rd_kafka_mock_broker_set_up(cluster, 1) }

    /// Makes the topic's answers errors, or lets them be again.
    func fail(_ topic: String, _ code: rd_kafka_resp_err_t) { rd_kafka_mock_topic_set_error(cluster, topic, code) }
}

/// Producers and consumers that end with the test.
struct Lab: Sendable {
    let cluster: MockCluster
    static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(_ topic: String? = "in", partitions: Int32 = 1) throws {
        cluster = try MockCluster()
        if let topic { cluster.create(topic, partitions: partitions) }
    }

    func consumer(group: String = "g", maxInFlight: Int = 256) throws -> KafkaConsumer {
        var settings = KafkaConsumerSettings(group: group, topic: "in")
        settings.maxInFlight = maxInFlight
        settings.sessionTimeout = .seconds(6)
        return try KafkaConsumer(cluster.brokers, settings, logger: Self.silence)
    }

    func producer() throws -> KafkaProducer { try KafkaProducer(cluster.brokers, logger: Self.silence) }

    /// Writes texts, each with its place as the key unless one is given.
    func write(_ texts: [String], key: String? = nil) async throws {
        let producer = try producer()
        for (place, text) in texts.enumerated() {
            _ = try await producer.send(
                KafkaMessage(
                    topic: "in", key: Array((key ?? "\(place)").utf8), value: Array(text.utf8), headers: [KafkaHeader("n", "\(place)")]))
        }
        await producer.close(within: .seconds(5))
    }
}

extension KafkaRecord {
    var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

/// Waits for what another thread brings about.
func eventually(within limit: Duration = .seconds(20), _ holds: () -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while !holds() {
        try #require(.now < end, "waited \(limit) in vain")
        try await Task.sleep(for: .milliseconds(5))
    }
}
