// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Metrics
package import Telemetry
package import Wire

/// The admin port: `/healthz`, `/readyz`, `/metrics`, and `/kafka` for the operator.
package struct AdminFront: WireHandler {
    private let health: Health
    private let metrics: MetricsRegistry
    private let gauges: WireGauges
    private let routing: RoutingGauges
    private let kafka: KafkaBoard

    package init(health: Health, metrics: MetricsRegistry, gauges: WireGauges, routing: RoutingGauges, kafka: KafkaBoard) {
        self.kafka = kafka
        self.health = health
        self.metrics = metrics
        self.gauges = gauges
        self.routing = routing
    }

    package func respond(to request: WireRequest) async -> WireResponse {
        guard request.method == "GET" || request.method == "HEAD" else {
            return WireResponse(status: 405, headers: ["allow": "GET, HEAD"])
        }
        if request.path == "/kafka" {
            return WireResponse(status: 200, headers: ["content-type": "application/json"], body: kafka.report.json())
        }
        if request.path == "/metrics" {
            gauges.refresh()
            routing.refresh()
        }
        guard let page = AdminPage.at(request.path, health: health, metrics: metrics) else {
            return WireResponse(status: 404, text: "wanted /healthz, /readyz, /metrics or /kafka")
        }
        return WireResponse(status: page.status, headers: ["content-type": page.contentType], body: Array(page.body.utf8))
    }
}

/// What servers and upstreams say about their connections, copied into metrics when somebody looks.
package struct WireGauges: Sendable {
    private let servers: [(name: String, server: WireServer)]
    private let upstreams: GRPCUpstreams

    package init(servers: [(name: String, server: WireServer)], upstreams: GRPCUpstreams) {
        self.servers = servers
        self.upstreams = upstreams
    }

    func refresh() {
        for (name, server) in servers {
            let seen = server.statistics
            for (gauge, value) in [
                ("connections_open", seen.connectionsOpen), ("connections_rejected", seen.connectionsRejected),
                ("requests_rejected", seen.requestsRejected), ("requests_abandoned", seen.requestsAbandoned),
                ("requests_timed_out", seen.requestsTimedOut),
            ] { Meter(label: "hydro_gateway_\(gauge)", dimensions: [("protocol", name)]).set(value) }
        }
        let seen = upstreams.statistics
        Meter(label: "hydro_gateway_upstream_connections_open").set(seen.connectionsOpen)
        Meter(label: "hydro_gateway_upstream_calls_in_flight").set(seen.callsInFlight)
        Meter(label: "hydro_gateway_upstream_calls_turned_away").set(seen.callsTurnedAway)
    }
}
