// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import JSON

/// What the gateway serves: published by the operator, and only when the servables that it names are ready.
package struct ActiveRoute: JSONRecord, Hashable {
    /// The generation of the Application that the route was made from.
    package var generation: Int64 = 0
    package var timeout = "10s"
    package var sticky: Application.Sticky?
    package var concurrency: Application.Concurrency?
    package var access: Application.Access?
    package var kafka: [Application.KafkaEntry] = []
    /// The signature of the whole: what the first stage takes, and later ones beside it, and what the last gives.
    package var signature: Signature?
    package var stages: [Stage] = []

    package init() {}
    package static let fields: JSONFields<ActiveRoute> = [
        .init("generation", \.generation), .init("timeout", \.timeout), .init("sticky", \.sticky),
        .init("concurrency", \.concurrency), .init("access", \.access), .init("kafka", \.kafka), .init("signature", \.signature),
        .init("stages", \.stages),
    ]

    /// The names of the servables that the route sends requests to.
    package var servables: Set<String> { Set(stages.flatMap { $0.variants.map(\.servable) }) }

    package struct Stage: JSONRecord, Hashable {
        package var name = ""
        package var signature: Signature?
        package var variants: [Variant] = []
        package init() {}
        package static let fields: JSONFields<Stage> = [
            .init("name", \.name), .init("signature", \.signature), .init("variants", \.variants),
        ]
    }

    package struct Variant: JSONRecord, Hashable {
        package var servable = ""
        /// The headless Service whose EndpointSlices hold the pods' addresses.
        package var service = ""
        package var port = ResolvedRuntime.defaultPort
        package var `protocol` = RuntimeProtocol.hydrosphere
        package var model = ""
        package var version = 0
        /// Percent of the answers; zero for a shadow.
        package var weight = 0
        /// Percent of the requests that a shadow gets copies of; absent for a variant that answers.
        package var shadowPercent: Int?
        package init() {}
        package static let fields: JSONFields<Variant> = [
            .init("servable", \.servable), .init("service", \.service), .init("port", \.port), .init("protocol", \.protocol),
            .init("model", \.model), .init("version", \.version), .init("weight", \.weight), .init("shadowPercent", \.shadowPercent),
        ]
    }
}

/// A span as our kinds write it: a whole number and `ms`, `s` or `m`.
package enum SpanText {
    package static func duration(_ text: String) -> Duration? {
        for (suffix, unit) in [("ms", Duration.milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60))] where text.hasSuffix(suffix) {
            guard let count = Int(text.dropLast(suffix.count)), count > 0, count < 1_000_000_000 else { return nil }
            return unit * count
        }
        return nil
    }
}
