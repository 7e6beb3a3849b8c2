// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import JSON
package import KubeCore

/// A public endpoint: stages of weighted variants.
package struct Application: KubeResource {
    package static let kind = Hydro.kind("Application", "applications")
    package var metadata = ObjectMeta()
    package var spec = Spec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<Application> = [
        .init("metadata", \.metadata), .required("spec", \.spec), .init("status", \.status),
    ]

    package struct Spec: JSONRecord, Hashable {
        package var stages: [Stage] = []
        /// A number and `ms`, `s` or `m`.
        package var timeout = "10s"
        package var sticky: Sticky?
        package var concurrency: Concurrency?
        /// Absent: whoever reaches the gateway may ask.
        package var access: Access?
        package var kafka: [KafkaEntry] = []
        package var metadata: [String: String] = [:]
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .required("stages", \.stages), .init("timeout", \.timeout), .init("sticky", \.sticky),
            .init("concurrency", \.concurrency), .init("access", \.access), .init("kafka", \.kafka), .init("metadata", \.metadata),
        ]

        /// The stage's name, or the one that its place gives it.
        package func name(ofStage place: Int) -> String { stages[place].name ?? "stage-\(place)" }
    }

    package struct Stage: JSONRecord, Hashable {
        package var name: String?
        package var variants: [Variant] = []
        package init() {}
        package static let fields: JSONFields<Stage> = [.init("name", \.name), .required("variants", \.variants)]
    }

    package struct Variant: JSONRecord, Hashable {
        package var model = ""
        /// Absent: the latest Released version is followed.
        package var version: Int?
        package var weight: Int?
        package var deploymentConfiguration: String?
        package var shadow: Shadow?
        package init() {}
        package static let fields: JSONFields<Variant> = [
            .required("model", \.model), .init("version", \.version), .init("weight", \.weight),
            .init("deploymentConfiguration", \.deploymentConfiguration), .init("shadow", \.shadow),
        ]
    }

    package struct Shadow: JSONRecord, Hashable {
        package var percent = 100
        package init() {}
        package static let fields: JSONFields<Shadow> = [.init("percent", \.percent)]
    }

    package struct Sticky: JSONRecord, Hashable {
        package var header = ""
        package init() {}
        package static let fields: JSONFields<Sticky> = [.required("header", \.header)]
    }

    /// What each replica of the gateway has under way at once for an application.
    package struct Concurrency: JSONRecord, Hashable {
        package var limit = 0
        /// Requests that wait for their turn; more are turned away. Absent: as many as the limit.
        package var queue: Int?
        package init() {}
        package static let fields: JSONFields<Concurrency> = [.required("limit", \.limit), .init("queue", \.queue)]
    }

    /// Who may ask: a bearer token that either of them accepts.
    package struct Access: JSONRecord, Hashable {
        package var tokenReview: TokenReview?
        package var jwt: JWT?
        package init() {}
        package static let fields: JSONFields<Access> = [.init("tokenReview", \.tokenReview), .init("jwt", \.jwt)]

        /// Tokens that the cluster itself vouches for. Empty lists accept all.
        package struct TokenReview: JSONRecord, Hashable {
            package var audiences: [String] = []
            package var users: [String] = []
            package var groups: [String] = []
            package init() {}
            package static let fields: JSONFields<TokenReview> = [
                .init("audiences", \.audiences), .init("users", \.users), .init("groups", \.groups),
            ]
        }

        /// Tokens that are signed by a key of the gateway's JWKS file. (RFC 7519, RFC 7517)
        package struct JWT: JSONRecord, Hashable {
            package var issuer = ""
            package var audiences: [String] = []
            /// Values of `sub`; empty accepts all.
            package var subjects: [String] = []
            package init() {}
            package static let fields: JSONFields<JWT> = [
                .required("issuer", \.issuer), .init("audiences", \.audiences), .init("subjects", \.subjects),
            ]
        }
    }

    /// A topic whose messages are requests.
    package struct KafkaEntry: JSONRecord, Hashable {
        package var bootstrapServers = ""
        package var sourceTopic = ""
        package var destinationTopic = ""
        package var errorTopic: String?
        package var consumerGroup: String?
        package var secretName: String?
        package init() {}
        package static let fields: JSONFields<KafkaEntry> = [
            .required("bootstrapServers", \.bootstrapServers), .required("sourceTopic", \.sourceTopic),
            .required("destinationTopic", \.destinationTopic), .init("errorTopic", \.errorTopic),
            .init("consumerGroup", \.consumerGroup), .init("secretName", \.secretName),
        ]
    }

    package struct Status: JSONRecord {
        package var observedGeneration: Int64?
        package var url: String?
        package var grpcUrl: String?
        package var stagesSummary: String?
        package var signature: Signature?
        package var stages: [StageStatus] = []
        package var activeRoute: ActiveRoute?
        package var conditions: [Condition] = []
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("observedGeneration", \.observedGeneration), .init("url", \.url), .init("grpcUrl", \.grpcUrl),
            .init("stagesSummary", \.stagesSummary), .init("signature", \.signature), .init("stages", \.stages),
            .init("activeRoute", \.activeRoute), .init("conditions", \.conditions),
        ]
    }

    package struct StageStatus: JSONRecord {
        package var name = ""
        package var variants: [VariantStatus] = []
        package init() {}
        package static let fields: JSONFields<StageStatus> = [.init("name", \.name), .init("variants", \.variants)]
    }

    package struct VariantStatus: JSONRecord {
        package var model = ""
        package var version: Int?
        package var servable: String?
        package var weight: Int?
        package var shadowPercent: Int?
        package var ready = false
        package var reason: String?
        package init() {}
        package static let fields: JSONFields<VariantStatus> = [
            .init("model", \.model), .init("version", \.version), .init("servable", \.servable), .init("weight", \.weight),
            .init("shadowPercent", \.shadowPercent), .init("ready", \.ready), .init("reason", \.reason),
        ]
    }
}
