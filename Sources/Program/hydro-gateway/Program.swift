// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Gateway
import Glibc
import KubeClient
import KubeCore
import Logging
import Metrics
import ServiceLifecycle
import Telemetry
import UnixSignals
import Wire

/// Sets up what the whole process shares, and runs the gateway until it is told to stop.
func serve(with settings: Settings) async throws {
    // A peer that closes its end is an error of one call, not of the program.
    signal(SIGPIPE, SIG_IGN)
    LoggingSystem.bootstrap { LineLogHandler(label: $0, settings: settings.log, sink: .standardError) }
    let metrics = MetricsRegistry(GatewayMetrics.settings)
    MetricsSystem.bootstrap(metrics)
    let logger = Logger(label: "hydro-gateway")
    let config = try ClusterConfig.detect(environment: settings.environment, context: settings.kubeContext)
    let client = ClusterClient(config, fieldManager: "hydro-gateway", logger: logger)
    defer { client.shutdown() }
    try await Program(settings: settings, client: client, metrics: metrics, logger: logger).run()
}

/// The gateway's parts, wired.
private struct Program {
    let settings: Settings
    let client: ClusterClient
    let metrics: MetricsRegistry
    let logger: Logger

    func run() async throws {
        let table = RoutingTable()
        let limits = Admission.Limits(limit: settings.concurrency, queue: settings.queue)
        let wishes = KafkaWishes()
        let board = KafkaBoard()
        let feed = RoutingFeed(into: table, limits: limits, kafka: wishes, logger: logger)
        let watch = RoutingWatch(client: client, namespaces: settings.watchNamespaces, feed: feed, logger: logger)
        let health = Health([Self.listed(by: watch)])
        let loops = try WireLoops(count: settings.loops)
        let upstreams = GRPCUpstreams(loops: loops, limits: settings.upstreamLimits)
        // A loop of its own: a probe must be answered however much there is to predict. The tap's batches go out there, too.
        let aside = try WireLoops(count: 1)
        let tap = settings.tap
        let reviews = TokenReviews(client, lifetimes: settings.tokenLifetimes, logger: logger)
        let access = AccessControl(reviews: reviews, keys: settings.jwks.map { KeyFile($0, logger: logger) })
        let shadows = Shadows(on: loops, limits: settings.shadows)
        let prober = PodProber(over: upstreams, logger: logger)
        let pipeline = Pipeline(upstreams: upstreams, settings: settings.pipeline, tap: tap, shadows: shadows, prober: prober)
        let core = FrontCore(
            table: table, pipeline: pipeline,
            defaultNamespace: settings.defaultNamespace, maxBody: settings.maxBody, isListed: { watch.missing.isEmpty }, health: health,
            metrics: metrics, access: access,
            log: RequestLog(settings.accessLog, linesPerSecond: settings.accessLogLines, logger: logger), logger: logger)
        let http = settings.server(settings.httpPort, loops, HTTPFront(core), tls: settings.tls, logger)
        let grpc = settings.server(settings.grpcPort, loops, GRPCFront(core), tls: settings.tls, logger)
        let gauges = WireGauges(servers: [("http", http), ("grpc", grpc)], upstreams: upstreams)
        let admin = settings.server(
            settings.adminPort, aside,
            AdminFront(health: health, metrics: metrics, gauges: gauges, routing: RoutingGauges(of: table), kafka: board), logger)
        for server in [http, grpc, admin] { try server.bind() }
        logger.info("listening", metadata: ["http": "\(http.port)", "grpc": "\(grpc.port)", "admin": "\(admin.port)"])

        let fronts = FrontService(
            [http, grpc], health: health, drainDelay: settings.drainDelay, drainTimeout: settings.drainTimeout, logger: logger)
        let kafka = kafka(core, wishes, board)
        // The last one is stopped first: callers leave before the routes do.
        var services: [any ServiceLifecycle.Service] = [AdminService(admin), watch, reviews, prober, shadows, fronts, kafka]
        if let listener = listener(tap, aside) { services.insert(listener, at: 1) }
        try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
        upstreams.closeAll()
        logger.info("stopped")
    }

    private func listener(_ tap: Tap?, _ aside: WireLoops) -> TapService? {
        guard let tap, let path = settings.tapSocket else { return nil }
        return TapService(tap, to: SocketAddress(unix: path), over: GRPCUpstreams(loops: aside), logger: logger)
    }

    private func kafka(_ core: FrontCore, _ wishes: KafkaWishes, _ board: KafkaBoard) -> KafkaFront {
        let client = client
        return KafkaFront(
            core, wishes: wishes, secrets: KafkaSecrets { try await client.find(Secret.self, $0) }, board: board, settings: settings.kafka,
            logger: logger)
    }

    private static func listed(by watch: RoutingWatch) -> Health.Check {
        Health.Check("watches", .ready) {
            let missing = watch.missing
            return missing.isEmpty ? .passing : .failing("not listed yet: \(missing.joined(separator: ", "))")
        }
    }
}

extension Settings {
    /// Bytes of requests' bodies that all loops and both fronts may hold at once; the pod's memory limit is twice that and more.
    private static let heldBytes = 256 << 20

    fileprivate var upstreamLimits: UpstreamLimits {
        var limits = UpstreamLimits()
        limits.responseBytes = maxBody
        return limits
    }

    fileprivate var kafka: KafkaFront.Settings {
        var settings = KafkaFront.Settings()
        settings.maxInFlight = kafkaInFlight
        settings.patience = kafkaPatience
        settings.sessionTimeout = kafkaSession
        settings.requestTimeout = requestTimeout
        return settings
    }

    fileprivate var pipeline: Pipeline.Settings {
        var settings = Pipeline.Settings()
        settings.patience = patience
        settings.slowStart = slowStart
        return settings
    }

    fileprivate var tap: Tap? {
        guard tapSocket != nil else { return nil }
        var settings = Tap.Settings()
        settings.records = tapRecords
        settings.bytes = tapBytes
        return Tap(settings)
    }

    fileprivate var tokenLifetimes: TokenLifetimes {
        var lifetimes = TokenLifetimes()
        lifetimes.outage = tokenOutage
        return lifetimes
    }

    fileprivate var shadows: Shadows.Limits {
        var limits = Shadows.Limits()
        limits.copies = shadowCopies
        limits.bytes = shadowBytes
        return limits
    }

    fileprivate func server(
        _ port: Int, _ loops: WireLoops, _ handler: any WireHandler, tls: TLSFiles? = nil, _ logger: Logger
    ) -> WireServer {
        var limits = WireLimits()
        limits.bodyBytes = maxBody
        // Loops share this among the fronts; each must be able to hold one body of the largest size.
        limits.heldBytes = max(maxBody, Self.heldBytes / (2 * loops.count))
        limits.requestTimeout = requestTimeout
        return WireServer(address: address, port: port, loops: loops, limits: limits, tls: tls, handler: handler, logger: logger)
    }
}
