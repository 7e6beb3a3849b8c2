// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI

/// All that a pass over an application knows of the world.
package struct ApplicationObserved: Sendable {
    /// The models that the application names, by name.
    package var models: [String: Model] = [:]
    /// All versions of those models, by model, lowest number first.
    package var versions: [String: [ModelVersion]] = [:]
    /// The namespace's servables, by name.
    package var servables: [String: Servable] = [:]
    /// For how long each servable that this application owns has been out of use.
    package var unusedFor: [String: Duration] = [:]
    /// Where the gateway is reached, without a path: `http://host:port`. Empty while it is not known.
    package var gatewayURL = ""
    package var gatewayGRPC = ""

    /// What the gateway's pods say of Kafka; nil while they have not been asked.
    package var kafka: KafkaStanding?
    /// What is there of the gateway's right to read the Secrets of Kafka entries.
    package var grant = KafkaGrantSeen()

    package init() {}
}
