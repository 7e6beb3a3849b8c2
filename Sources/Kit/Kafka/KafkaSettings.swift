// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Where brokers are and what they ask for.
package struct KafkaBrokers: Sendable, Equatable {
    /// `host:port`, by commas: the first to ask for the others.
    package var bootstrap: String
    /// Nil speaks in the clear.
    package var tls: TLS?
    package var sasl: SASL?
    /// What brokers call us in their logs and quotas.
    package var clientID = "rdkafka"

    package init(_ bootstrap: String, tls: TLS? = nil, sasl: SASL? = nil) {
        self.bootstrap = bootstrap
        self.tls = tls
        self.sasl = sasl
    }

    /// PEM texts.
    package struct TLS: Sendable, Equatable {
        /// Who signs the brokers' certificates; nil trusts whom the machine trusts.
        package var authorities: String?
        package var certificate: String?
        package var key: String?

        package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
        }
    }

    package struct SASL: Sendable, Equatable {
        package enum Mechanism: String, Sendable, CaseIterable {
            case plain = "PLAIN"
            case scramSHA256 = "SCRAM-SHA-256"
            case scramSHA512 = "SCRAM-SHA-512"
        }

        package var mechanism: Mechanism
        package var username: String
        package var password: String

        package init(_ mechanism: Mechanism, username: String, password: String) {
            self.mechanism = mechanism
            self.username = username
            self.password = password
        }
    }
}

/// How a consumer takes part in its group.
package struct KafkaConsumerSettings: Sendable {
    package var group: String
    package var topic: String
    /// Records that have been read and whose offsets have not been committed.
    package var maxInFlight = 256
    /// When a member that is silent for so long is taken for dead, and its partitions go to others.
    package var sessionTimeout: Duration = .seconds(10)
    /// How long a partition that another member is to have is kept for what is in flight.
    package var revokeLimit: Duration = .seconds(10)
    /// A commit waits so long for others to go along, unless the room in flight runs out.
    package var commitLinger: Duration = .milliseconds(20)

    package init(group: String, topic: String) {
        self.group = group
        self.topic = topic
    }
}

extension KafkaBrokers {
    /// As librdkafka's properties.
    var properties: [(String, String)] {
        var properties = [("bootstrap.servers", bootstrap)]
        switch (tls, sasl) {
        case (nil, nil): properties.append(("security.protocol", "plaintext"))
        case (nil, _?): properties.append(("security.protocol", "sasl_plaintext"))
        case (_?, nil): properties.append(("security.protocol", "ssl"))
        case (_?, _?): properties.append(("security.protocol", "sasl_ssl"))
        }
        if let tls {
            if let authorities = tls.authorities { properties.append(("ssl.ca.pem", authorities)) }
            if let certificate = tls.certificate { properties.append(("ssl.certificate.pem", certificate)) }
            if let key = tls.key { properties.append(("ssl.key.pem", key)) }
        }
        if let sasl {
            properties += [
                ("sasl.mechanism", sasl.mechanism.rawValue), ("sasl.username", sasl.username), ("sasl.password", sasl.password),
            ]
        }
        // Back at a broker within seconds of its return, and aware of a new topic within ten.
        properties += [
            ("reconnect.backoff.ms", "100"), ("reconnect.backoff.max.ms", "2000"), ("topic.metadata.refresh.interval.ms", "10000"),
            ("socket.keepalive.enable", "true"), ("allow.auto.create.topics", "false"), ("log.queue", "true"), ("client.id", clientID),
        ]
        return properties
    }
}

extension KafkaConsumerSettings {
    var properties: [(String, String)] {
        [
            ("group.id", group), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
            // What came before the group was there counts too.
            ("auto.offset.reset", "earliest"), ("session.timeout.ms", "\(sessionTimeout.milliseconds)"),
            ("heartbeat.interval.ms", "\(max(50, sessionTimeout.milliseconds / 4))"),
            // Prefetching is a cache, not the work: the room in flight bounds that.
            ("queued.min.messages", "1000"), ("queued.max.messages.kbytes", "8192"), ("fetch.wait.max.ms", "100"),
            ("fetch.error.backoff.ms", "200"),
        ]
    }
}

/// A producer's settings: every record acknowledged by all replicas, once and in order, however long it takes.
enum KafkaProducerSettings {
    static let properties: [(String, String)] = [
        ("acks", "all"), ("enable.idempotence", "true"), ("message.timeout.ms", "0"), ("linger.ms", "2"),
        // The hash of Java's clients, so that equal keys meet whoever wrote them.
        ("partitioner", "murmur2_random"), ("queue.buffering.max.messages", "100000"), ("queue.buffering.max.kbytes", "65536"),
        // The broker's limit decides.
        ("message.max.bytes", "64000000"), ("topic.metadata.propagation.max.ms", "2000"),
    ]
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
