// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What the admin port answers, as a value that any HTTP front can send.
package struct AdminPage: Equatable, Sendable {
    package var status: Int
    package var contentType: String
    package var body: String

    /// `/healthz` (also `/livez`), `/readyz` and `/metrics`; nil for any other path. Cost: what the checks and series cost.
    package static func at(_ path: String, health: Health, metrics: MetricsRegistry) -> AdminPage? {
        switch path {
        case "/healthz", "/livez": AdminPage(health.report(.live))
        case "/readyz": AdminPage(health.report(.ready))
        case "/metrics":
            AdminPage(status: 200, contentType: Exposition.contentType, body: metrics.exposition() + ProcessFacts.now.exposition)
        default: nil
        }
    }

    private init(status: Int, contentType: String, body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    private init(_ report: HealthReport) {
        self.init(status: report.isPassing ? 200 : 503, contentType: "text/plain; charset=utf-8", body: report.text)
    }
}
