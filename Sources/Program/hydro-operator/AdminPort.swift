// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Logging
import ServiceLifecycle
import Telemetry
import Wire

/// `/healthz`, `/readyz` and `/metrics`, up until everything else has ended.
struct AdminPort: ServiceLifecycle.Service {
    private let server: WireServer
    private let health: Health

    private struct Page: WireHandler {
        let health: Health
        let metrics: MetricsRegistry

        func respond(to request: WireRequest) async -> WireResponse {
            guard request.method == "GET" || request.method == "HEAD" else { return WireResponse(status: 405, text: "wanted GET\n") }
            guard let page = AdminPage.at(request.path, health: health, metrics: metrics) else {
                return WireResponse(status: 404, text: "wanted /healthz, /readyz or /metrics\n")
            }
            return WireResponse(status: page.status, headers: ["content-type": page.contentType], body: Array(page.body.utf8))
        }
    }

    init(port: Int, health: Health, metrics: MetricsRegistry, logger: Logger) throws {
        self.health = health
        let page = Page(health: health, metrics: metrics)
        server = WireServer(address: "0.0.0.0", port: port, loops: try WireLoops(count: 1), handler: page, logger: logger)
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            health.drain()
            server.beginDrain(within: .seconds(2))
        }
    }
}
