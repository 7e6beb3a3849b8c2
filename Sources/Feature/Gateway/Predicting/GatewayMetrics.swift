// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Telemetry

/// How the gateway's metrics are cut and explained.
package enum GatewayMetrics {
    private static let kafka = [
        "hydro_gateway_kafka_messages_total": "messages done with: answered, failed (to the error topic) or dropped (failed without one)",
        "hydro_gateway_kafka_retries_total": "predictions of messages that are tried again",
        "hydro_gateway_kafka_commits_total": "commits of offsets, by what the broker said",
        "hydro_gateway_kafka_lag_messages": "messages of this replica's partitions that are not done with",
        "hydro_gateway_kafka_messages_in_flight": "messages read whose offsets are not committed",
        "hydro_gateway_kafka_paused": "1 while fetching is paused for want of room in flight",
        "hydro_gateway_kafka_partitions": "partitions that this replica has been given",
    ]

    package static var settings: MetricsRegistry.Settings {
        var settings = MetricsRegistry.Settings()
        // A prediction of a small model takes a fraction of a millisecond.
        let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
        settings.boundsOfName = ["hydro_gateway_request_seconds": bounds, "hydro_gateway_variant_seconds": bounds]
        settings.seriesOfName = 5000
        settings.help = [
            "hydro_gateway_requests_total": "requests answered, by name, protocol and HTTP status or gRPC code",
            "hydro_gateway_request_seconds": "from a request's last byte to its answer",
            "hydro_gateway_requests_in_flight": "requests being answered now",
            "hydro_gateway_variant_requests_total": "requests that a stage's variant answered or failed",
            "hydro_gateway_variant_retries_total": "requests tried on another pod because one did not take them",
            "hydro_gateway_concurrency_in_flight": "requests that have a place now",
            "hydro_gateway_concurrency_queue": "requests that wait for a place",
            "hydro_gateway_concurrency_turned_away_total": "requests that found the queue full",
            "hydro_gateway_pods_ready": "pods that Kubernetes calls ready",
            "hydro_gateway_pods_ejected": "those of them that get no requests, since they cannot be reached or failed too often",
            "hydro_gateway_shadow_sent_total": "requests copied to a shadow",
            "hydro_gateway_shadow_failed_total": "copies that the shadow failed",
            "hydro_gateway_shadow_dropped_total": "requests not copied to a shadow, which had too many already",
            "hydro_gateway_variant_seconds": "what the variant took of a request",
        ]
        settings.help.merge(kafka) { _, last in last }
        return settings
    }
}
