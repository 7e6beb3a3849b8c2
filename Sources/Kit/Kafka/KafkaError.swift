// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CRdKafka

/// What a broker or the client library refused, and whether waiting helps.
package struct KafkaError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What a caller would treat differently.
    package enum Kind: String, Sendable, CaseIterable {
        /// No broker answers: refused, unresolvable, timed out.
        case brokersDown
        /// The brokers do not take the name and password, or the certificate.
        case authenticationFailed
        /// TLS cannot be agreed on.
        case tlsFailed
        /// The name is known and may not do this.
        case notAuthorised
        case unknownTopic
        /// The broker's limit for a record is lower.
        case tooLarge
        /// A setting that the library refuses.
        case badSetting
        /// The local queue is full.
        case queueFull
        /// Given up because the client closes.
        case closed
        /// The client is of no use any more and has to be made anew.
        case fatal
        /// Whatever else; the message says it.
        case other
    }

    package var kind: Kind
    /// The library's name of the error: `_TRANSPORT`.
    package var name: String
    package var message: String

    package init(_ kind: Kind, name: String = "", _ message: String) {
        self.kind = kind
        self.name = name
        self.message = message
    }

    /// Whether the same may succeed later with nothing changed by the caller.
    package var isRetriable: Bool {
        switch kind {
        case .tooLarge, .badSetting, .closed, .fatal: false
        default: true
        }
    }

    package var description: String { message }
}

extension KafkaError {
    /// - Parameter message: what the library said of the case; nil takes its words for the code.
    init(_ code: rd_kafka_resp_err_t, _ message: String? = nil) {
        let name = String(cString: rd_kafka_err2name(code))
        self.init(Self.kind(of: code), name: name, message ?? String(cString: rd_kafka_err2str(code)))
    }

    private static func kind(of code: rd_kafka_resp_err_t) -> Kind {
        switch code {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__TIMED_OUT,
            RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR__UNKNOWN_BROKER:
            .brokersDown
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            .authenticationFailed
        case RD_KAFKA_RESP_ERR__SSL: .tlsFailed
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            .notAuthorised
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            .unknownTopic
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
            RD_KAFKA_RESP_ERR_INVALID_RECORD:
            .tooLarge
        case RD_KAFKA_RESP_ERR__INVALID_ARG: .badSetting
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: .queueFull
        case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__DESTROY: .closed
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID: .fatal
        default: .other
        }
    }
}
