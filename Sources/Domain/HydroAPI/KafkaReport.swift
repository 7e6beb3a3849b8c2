// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON
package import KubeCore

/// How one replica of the gateway stands with the topics of Applications: what it shows at `/kafka`, and the operator reads.
package struct KafkaReport: JSONRecord {
    package var entries: [Entry] = []
    package init() {}
    package static let fields: JSONFields<KafkaReport> = [.init("entries", \.entries)]

    /// One entry of one Application.
    package struct Entry: JSONRecord {
        package var namespace = ""
        package var application = ""
        package var bootstrapServers = ""
        package var sourceTopic = ""
        package var destinationTopic = ""
        package var errorTopic: String?
        package var consumerGroup = ""
        package var secretName: String?
        package var state = KafkaState.starting
        /// What is wrong, naming broker, topic or Secret; empty where nothing is.
        package var message = ""
        /// Partitions that this replica has been given.
        package var partitions = 0
        package var inFlight = 0
        package var lag: Int64 = 0
        package var paused = false

        package init() {}
        package static let fields: JSONFields<Entry> = [
            .init("namespace", \.namespace), .init("application", \.application), .init("bootstrapServers", \.bootstrapServers),
            .init("sourceTopic", \.sourceTopic), .init("destinationTopic", \.destinationTopic), .init("errorTopic", \.errorTopic),
            .init("consumerGroup", \.consumerGroup), .init("secretName", \.secretName), .init("state", \.state),
            .init("message", \.message), .init("partitions", \.partitions), .init("inFlight", \.inFlight), .init("lag", \.lag),
            .init("paused", \.paused),
        ]

        package var key: ObjectKey { ObjectKey(namespace, application) }
    }
}

/// Where a Kafka entry stands: the reasons of the condition KafkaReady, beside those of nobody answering.
package enum KafkaState: String, JSONCodable, Sendable, CaseIterable {
    case consuming = "Consuming"
    case starting = "Starting"
    case brokerUnreachable = "BrokerUnreachable"
    case tlsFailed = "TLSFailed"
    case authenticationFailed = "AuthenticationFailed"
    case authorizationFailed = "AuthorizationFailed"
    case topicNotFound = "TopicNotFound"
    case secretNotFound = "SecretNotFound"
    case secretInvalid = "SecretInvalid"
    case settingInvalid = "SettingInvalid"
    /// Whatever else the client or a broker said.
    case clientFailed = "ClientFailed"
}

extension Application.KafkaEntry {
    /// The group that the entry's consumers form: its own name, else the application's.
    package func group(of application: ObjectKey) -> String { consumerGroup ?? application.name }
}
