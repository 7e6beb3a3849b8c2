// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Composer
import Controllers
import Glibc
import HydroAPI
import KubeClient
import KubeCore
import KubeRuntime
import Logging
import Metrics
import OCI
import ServiceLifecycle
import Telemetry
import Transport
import UnixSignals
import Wire

/// The operator: wires its parts and runs them in one group.
///
/// Shutdown goes from the last part to the first: the admin port stays up until all else has ended.
struct Program: Sendable {
    /// A store that stays empty for so long means that the operator may not read, or cannot reach, the API server.
    private static let startingPatience: Duration = .seconds(120)

    private let settings: ProgramSettings
    private let logger: Logger
    private let metrics = MetricsRegistry()

    init(_ settings: ProgramSettings) {
        self.settings = settings
        // A peer that closes its end is an error of one call, not of the program.
        signal(SIGPIPE, SIG_IGN)
        let sink = LogSink.standardError
        let format: LogLine.Format = sink.isTerminal ? .text : .json
        let logSettings = LogSettings(level: settings.logLevel, format: format)
        LoggingSystem.bootstrap { LineLogHandler(label: $0, settings: logSettings, sink: sink) }
        MetricsSystem.bootstrap(metrics)
        logger = Logger(label: "hydro-operator")
    }

    func run() async throws {
        let client = ClusterClient(
            try ClusterConfig.detect(environment: Self.environment, context: settings.context), fieldManager: Hydro.fieldManager,
            logger: logger)
        defer { client.shutdown() }
        let features = try await ServerFeatures.ask(client)
        let transport = CurlTransport(name: "registry", maxConnectionsPerHost: 8)
        defer { transport.shutdown() }
        let composer = ImageComposer(try await composerSettings(client), transport: transport, logger: logger)
        let identity = Self.identity()
        let leadership =
            settings.leaderElection
            ? Leadership(
                client: client, lease: ObjectKey(settings.operation.namespace, "hydro-operator"), identity: identity, logger: logger) : nil
        let events = EventRecorder(client: client, component: "hydro-operator", instance: identity, logger: logger)
        let controllers = ControllerSet(
            client: client, composer: composer, leadership: leadership, events: events, settings: settings.operation, features: features,
            operatorKey: ObjectKey(settings.operation.namespace, "hydro-operator"), logger: logger)
        let admin = try AdminPort(port: settings.adminPort, health: health(controllers), metrics: metrics, logger: logger)
        logger.info("operator starts", metadata: ["identity": "\(identity)", "registry": "\(settings.operation.registry)"])
        let first: [any ServiceLifecycle.Service] =
            [admin, events] + (leadership.map { [$0] } ?? []) + [ComposerService(composer: composer)]
        var configuration = ServiceGroupConfiguration(
            services: (first + controllers.services).map { .init(service: $0, successTerminationBehavior: .ignore) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func health(_ controllers: ControllerSet) -> Health {
        let started = ContinuousClock.now
        return Health([
            Health.Check("stores", .ready) { controllers.hasSynced ? .passing : .failing("first lists are not complete") },
            Health.Check("start", .live) {
                controllers.hasSynced || ContinuousClock.now - started < Self.startingPatience
                    ? .passing : .failing("first lists did not come within \(Self.startingPatience)")
            },
        ])
    }

    private func composerSettings(_ client: ClusterClient) async throws -> ComposerSettings {
        var keychain = Keychain.anonymous
        if let name = settings.operation.registrySecret {
            let secret = try await client.get(Secret.self, ObjectKey(settings.operation.namespace, name))
            guard let json = secret.data[".dockerconfigjson"]?.bytes else {
                throw SettingError(name: "registry-secret", wanted: "a Secret with .dockerconfigjson", found: name)
            }
            keychain = try Keychain(dockerConfig: json)
        }
        return ComposerSettings(
            registry: RegistrySettings(plainHTTP: settings.plainHTTP), keychain: keychain, concurrency: settings.buildConcurrency,
            spoolFolder: settings.spool)
    }

    private static var environment: [String: String] {
        let names = ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HOME"]
        return Dictionary(uniqueKeysWithValues: names.compactMap { name in getenv(name).map { (name, String(cString: $0)) } })
    }

    /// The pod's name and a random part: another after each start, as the election wants it.
    private static func identity() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "operator_\(UInt32.random(in: .min ... .max))" }
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(host)_\(String(UInt32.random(in: .min ... .max), radix: 16))"
    }
}

/// The composer as a part of the group.
private struct ComposerService: ServiceLifecycle.Service {
    let composer: ImageComposer

    /// Builds that are cut off begin again with the next leader.
    func run() async {
        await cancelWhenGracefulShutdown { await composer.run() }
    }
}
