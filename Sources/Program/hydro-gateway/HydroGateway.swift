// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import ArgumentParser
import Glibc
import Telemetry

/// The command line. Each flag has an environment variable behind it, for Deployments.
@main
struct HydroGateway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hydro-gateway",
        abstract: "Routes predictions to the pods of Hydro's servables, over HTTP, gRPC and Kafka.",
        discussion: """
            Applications, Servables and EndpointSlices are watched through the Kubernetes API: in the cluster by the pod's
            service account, else by KUBECONFIG or ~/.kube/config. Spans are numbers with ms, s or m.
            """)

    @Option(help: "The IP address to listen on. HYDRO_ADDRESS, else 0.0.0.0.")
    var address: String?
    @Option(help: "The port for predictions over HTTP. HYDRO_HTTP_PORT, else 9090.")
    var httpPort: String?
    @Option(help: "The port for predictions over gRPC. HYDRO_GRPC_PORT, else 9091.")
    var grpcPort: String?
    @Option(help: "The port for /healthz, /readyz, /metrics and /kafka. HYDRO_ADMIN_PORT, else 9092.")
    var adminPort: String?
    @Option(help: "Threads that serve. HYDRO_LOOPS, else the number of cores, at most 8.")
    var loops: String?
    @Option(help: "Where a name is looked up when the caller gives no namespace. HYDRO_DEFAULT_NAMESPACE, else default.")
    var defaultNamespace: String?
    @Option(help: "The namespaces to serve, with commas between. HYDRO_WATCH_NAMESPACES, else all.")
    var watchNamespaces: String?
    @Option(help: "Bytes of a request's body, and of a model's answer. HYDRO_MAX_BODY, else 52428800.")
    var maxBody: String?
    @Option(help: "The longest that any request may take. HYDRO_REQUEST_TIMEOUT, else 60s.")
    var requestTimeout: String?
    @Option(help: "How long to look for a pod that takes a request. HYDRO_PATIENCE, else 2s.")
    var patience: String?
    @Option(help: "Requests at once for an application that does not say itself. HYDRO_CONCURRENCY, else 1000.")
    var concurrency: String?
    @Option(help: "Requests of such an application that wait for their turn; more are told to come again. HYDRO_QUEUE, else 1000.")
    var queue: String?
    @Option(help: "How long a new pod gets less than its share, beside others. HYDRO_SLOW_START, else 10s.")
    var slowStart: String?
    @Option(help: "Copies for one shadow that may be under way; more are dropped. HYDRO_SHADOW_COPIES, else 128.")
    var shadowCopies: String?
    @Option(help: "Bytes that the copies for all shadows may keep. HYDRO_SHADOW_BYTES, else 67108864.")
    var shadowBytes: String?
    @Option(help: "After SIGTERM, how long to serve on until callers have noticed. HYDRO_DRAIN_DELAY, else 5s.")
    var drainDelay: String?
    @Option(help: "After that, how long requests in flight may take. HYDRO_DRAIN_TIMEOUT, else 20s.")
    var drainTimeout: String?
    @Option(help: "A PEM file of certificates: both ports speak TLS then. HYDRO_TLS_CERTIFICATE, else none.")
    var tlsCertificate: String?
    @Option(help: "A PEM file of the certificate's key. HYDRO_TLS_KEY, else none.")
    var tlsKey: String?
    @Option(help: "A file of keys (JWKS) that sign callers' tokens. HYDRO_JWKS, else none.")
    var jwks: String?
    @Option(help: "How long a token that was reviewed is good while the API server is away. HYDRO_TOKEN_OUTAGE, else 5m.")
    var tokenOutage: String?
    @Option(help: "The Unix socket that is told what was asked and answered. HYDRO_TAP_SOCKET, else none.")
    var tapSocket: String?
    @Option(help: "Records that wait for it at most. HYDRO_TAP_RECORDS, else 8192.")
    var tapRecords: String?
    @Option(help: "Bytes of tensors that wait for it at most. HYDRO_TAP_BYTES, else 67108864.")
    var tapBytes: String?
    @Option(help: "Requests that get a line in the log: off, errors, or errors and a share such as 0.01. HYDRO_ACCESS_LOG, else off.")
    var accessLog: String?
    @Option(help: "Such lines in a second, at most. HYDRO_ACCESS_LOG_LINES, else 1000.")
    var accessLogLines: String?
    @Option(help: "Messages of a Kafka entry that are read and not committed, at most. HYDRO_KAFKA_IN_FLIGHT, else 256.")
    var kafkaInFlight: String?
    @Option(help: "How long a message waits for pods that are away before it is a failure. HYDRO_KAFKA_PATIENCE, else 5m.")
    var kafkaPatience: String?
    @Option(help: "How long a gateway may be silent before others get its partitions. HYDRO_KAFKA_SESSION, else 10s.")
    var kafkaSession: String?
    @Option(help: "The context of the kubeconfig. HYDRO_KUBE_CONTEXT, else its current one.")
    var kubeContext: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical. HYDRO_LOG_LEVEL, else info.")
    var logLevel: String?
    @Option(help: "json or text. HYDRO_LOG_FORMAT, else text on a terminal and json elsewhere.")
    var logFormat: String?

    func run() async throws {
        let settings: Settings
        do throws(SettingError) { settings = try Settings(self, environment: environment()) } catch {
            throw ValidationError("\(error)")
        }
        try await serve(with: settings)
    }

    private func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }
}
