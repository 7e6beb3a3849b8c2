// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import ArgumentParser
import Controllers
import Glibc
import KubeCore
import Logging
import Telemetry

/// The operator's settings: flags, each with a variable of the environment that stands in for it.
@main
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hydro-operator", abstract: "Builds, deploys and routes the models that a Kubernetes cluster declares.",
        discussion:
            "Each flag may be given as a variable instead: --registry-pull-host as HYDRO_REGISTRY_PULL_HOST. A flag goes before its variable."
    )

    @Option(help: "The namespace that Hydro lives in.") var namespace = Environment.text("HYDRO_NAMESPACE", "hydro-system")
    @Option(help: "Namespaces to look after, by commas; empty for all.") var watchNamespaces = Environment.text(
        "HYDRO_WATCH_NAMESPACES", "")
    @Option(help: "Where images of models are pushed: registry.example/prefix.") var registry = Environment.text("HYDRO_REGISTRY", "")
    @Option(help: "The registry's name for pods, where it differs.") var registryPullHost = Environment.text("HYDRO_REGISTRY_PULL_HOST", "")
    @Option(help: "Whether the registry is spoken to without TLS: true or false.")
    var registryPlainHttp = Environment.text("HYDRO_REGISTRY_PLAIN_HTTP", "false")
    @Option(help: "A kubernetes.io/dockerconfigjson Secret, for pushing and for pods.")
    var registrySecret = Environment.text("HYDRO_REGISTRY_SECRET", "")
    @Option(help: "The gateway's image; empty for no gateway.") var gatewayImage = Environment.text("HYDRO_GATEWAY_IMAGE", "")
    @Option(help: "How many gateways.") var gatewayReplicas = Environment.text("HYDRO_GATEWAY_REPLICAS", "2")
    @Option(help: "Builds at once.") var buildConcurrency = Environment.text("HYDRO_BUILD_CONCURRENCY", "2")
    @Option(help: "Whether replicas elect a leader: true or false.") var leaderElection = Environment.text("HYDRO_LEADER_ELECTION", "true")
    @Option(help: "The port of /healthz, /readyz and /metrics.") var adminPort = Environment.text("HYDRO_ADMIN_PORT", "9092")
    @Option(help: "Where what cannot be streamed is kept for a while.") var spool = Environment.text("HYDRO_SPOOL", "/tmp")
    @Option(help: "The context of the kubeconfig, outside of a pod.") var context = Environment.text("HYDRO_CONTEXT", "")
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = Environment.text("HYDRO_LOG_LEVEL", "info")

    func run() async throws {
        let settings: ProgramSettings
        do { settings = try ProgramSettings(self) } catch { throw ValidationError("\(error)") }
        try await Program(settings).run()
    }
}

/// What stands in for flags. An empty variable counts as not given: a manifest may carry one for overlays to fill.
enum Environment {
    static func text(_ name: String, _ usual: String) -> String {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return usual }
        return value
    }
}

/// The settings, checked.
struct ProgramSettings: Sendable {
    var operation: OperatorSettings
    var plainHTTP: Set<String>
    var buildConcurrency: Int
    var leaderElection: Bool
    var adminPort: Int
    var spool: String
    var context: String?
    var logLevel: Logger.Level

    init(_ command: OperatorCommand) throws(SettingError) {
        guard !command.registry.isEmpty else {
            throw SettingError(name: "registry", wanted: "the registry that images of models are pushed to", found: "")
        }
        operation = OperatorSettings(namespace: command.namespace, registry: command.registry)
        operation.watchedNamespaces = SettingText.names(command.watchNamespaces)
        operation.registryPullHost = command.registryPullHost.isEmpty ? nil : command.registryPullHost
        operation.registrySecret = command.registrySecret.isEmpty ? nil : command.registrySecret
        operation.gateway.image = command.gatewayImage
        operation.gateway.replicas = try SettingText.number("gateway-replicas", command.gatewayReplicas, in: 0...1000)
        let host = String(command.registry.prefix { $0 != "/" })
        plainHTTP = try SettingText.flag("registry-plain-http", command.registryPlainHttp) ? [host, command.registryPullHost] : []
        buildConcurrency = try SettingText.number("build-concurrency", command.buildConcurrency, in: 1...64)
        leaderElection = try SettingText.flag("leader-election", command.leaderElection)
        adminPort = try SettingText.number("admin-port", command.adminPort, in: 1...65_535)
        spool = command.spool
        context = command.context.isEmpty ? nil : command.context
        guard let level = Logger.Level(rawValue: command.logLevel) else {
            throw SettingError(
                name: "log-level", wanted: "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))",
                found: command.logLevel)
        }
        logLevel = level
    }
}
