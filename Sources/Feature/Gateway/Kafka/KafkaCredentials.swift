// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import Kafka
package import KubeCore

/// Why an entry cannot be served now, in words for the condition.
struct KafkaTrouble: Error, Equatable {
    var state: KafkaState
    var message: String
}

/// What a Secret says about how to reach brokers.
///
/// Keys: `username`, `password`, `mechanism` (SCRAM-SHA-512 unless said otherwise), `ca.crt`, `tls.crt`, `tls.key`, `tls`. A Secret means TLS:
/// only `tls` = `false` speaks in the clear.
struct KafkaCredentials: Equatable, Sendable {
    var tls: KafkaBrokers.TLS?
    var sasl: KafkaBrokers.SASL?

    init() {}

    init(_ secret: Secret) throws(KafkaTrouble) {
        let name = secret.metadata.name
        func text(_ key: String) -> String? { secret.text(key).flatMap { $0.isEmpty ? nil : $0 } }
        switch (secret.text("tls") ?? "true").lowercased().filter({ !$0.isWhitespace }) {
        case "true", "": tls = KafkaBrokers.TLS(authorities: text("ca.crt"), certificate: text("tls.crt"), key: text("tls.key"))
        case "false": tls = nil
        default: throw Self.invalid(name, "tls", "true or false")
        }
        guard (text("tls.crt") == nil) == (text("tls.key") == nil) else {
            throw Self.invalid(name, "tls.crt", "to be there together with \"tls.key\"")
        }
        guard let username = text("username") else {
            guard text("password") == nil else { throw Self.invalid(name, "username", "to be there together with \"password\"") }
            return
        }
        guard let password = text("password") else { throw Self.invalid(name, "password", "to be there together with \"username\"") }
        let wanted = text("mechanism")?.filter { !$0.isWhitespace }.uppercased() ?? KafkaBrokers.SASL.Mechanism.scramSHA512.rawValue
        guard let mechanism = KafkaBrokers.SASL.Mechanism(rawValue: wanted) else {
            throw Self.invalid(name, "mechanism", KafkaBrokers.SASL.Mechanism.allCases.map(\.rawValue).joined(separator: ", "))
        }
        sasl = KafkaBrokers.SASL(mechanism, username: username, password: password)
    }

    private static func invalid(_ secret: String, _ key: String, _ wanted: String) -> KafkaTrouble {
        KafkaTrouble(state: .secretInvalid, message: "key \"\(key)\" of Secret \"\(secret)\" wants \(wanted)")
    }
}

/// Reads the Secrets that entries name, one by one.
package struct KafkaSecrets: Sendable {
    private let read: @Sendable (ObjectKey) async throws -> Secret?

    /// `read` gives nil for a Secret that is not there.
    package init(read: @escaping @Sendable (ObjectKey) async throws -> Secret?) { self.read = read }

    func credentials(for wish: KafkaWish) async throws(KafkaTrouble) -> KafkaCredentials {
        guard let name = wish.entry.secretName else { return KafkaCredentials() }
        let secret: Secret?
        do { secret = try await read(ObjectKey(wish.application.namespace, name)) } catch {
            throw KafkaTrouble(state: .secretNotFound, message: "Secret \"\(name)\" cannot be read: \(error)")
        }
        guard let secret else { throw KafkaTrouble(state: .secretNotFound, message: "wanted Secret \"\(name)\", found none") }
        return try KafkaCredentials(secret)
    }
}
