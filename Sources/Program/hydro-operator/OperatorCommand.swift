// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import ArgumentParser
import Controllers
import Glibc
import JSON
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
    @Option(help: "The most gateways that an autoscaler may make of them; 0 for no autoscaler.")
    var gatewayMaxReplicas = Environment.text("HYDRO_GATEWAY_MAX_REPLICAS", "0")
    @Option(help: "Percent of the requested CPU that the gateway's autoscaler aims at.")
    var gatewayTargetCpu = Environment.text("HYDRO_GATEWAY_TARGET_CPU", "70")
    @Option(help: "The type of the gateway's Service: ClusterIP, NodePort or LoadBalancer.")
    var gatewayServiceType = Environment.text("HYDRO_GATEWAY_SERVICE_TYPE", "ClusterIP")
    @Option(help: "What the gateway asks for and may use, as JSON: {\"requests\": {\"cpu\": \"1\"}}.")
    var gatewayResources = Environment.text("HYDRO_GATEWAY_RESOURCES", "")
    @Option(help: "A kubernetes.io/tls Secret for the gateway's ports; empty for plain text.")
    var gatewayTlsSecret = Environment.text("HYDRO_GATEWAY_TLS_SECRET", "")
    @Option(help: "A ConfigMap whose jwks.json has the keys that sign callers' tokens.")
    var gatewayJwksConfigMap = Environment.text("HYDRO_GATEWAY_JWKS_CONFIG_MAP", "")
    @Option(help: "A Secret with such a jwks.json.") var gatewayJwksSecret = Environment.text("HYDRO_GATEWAY_JWKS_SECRET", "")
    @Option(help: "Whether gateways tell a socket in their pod what they see: true or false.")
    var gatewayTap = Environment.text("HYDRO_GATEWAY_TAP", "false")
    @Option(help: "Requests that gateways log: off, errors, or errors and a share such as 0.01.")
    var gatewayAccessLog = Environment.text("HYDRO_GATEWAY_ACCESS_LOG", "off")
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
        operation.gateway = try Self.gateway(command)
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

extension ProgramSettings {
    private static func gateway(_ command: OperatorCommand) throws(SettingError) -> OperatorSettings.GatewaySettings {
        var gateway = OperatorSettings.GatewaySettings()
        gateway.image = command.gatewayImage
        gateway.replicas = try SettingText.number("gateway-replicas", command.gatewayReplicas, in: 0...1000)
        gateway.maxReplicas = try SettingText.number("gateway-max-replicas", command.gatewayMaxReplicas, in: 0...1000)
        gateway.targetCPU = try SettingText.number("gateway-target-cpu", command.gatewayTargetCpu, in: 1...1000)
        guard ["ClusterIP", "NodePort", "LoadBalancer"].contains(command.gatewayServiceType) else {
            throw SettingError(
                name: "gateway-service-type", wanted: "ClusterIP, NodePort or LoadBalancer", found: command.gatewayServiceType)
        }
        gateway.serviceType = command.gatewayServiceType
        if !command.gatewayResources.isEmpty {
            do { gateway.resources = try Resources.decode(json: command.gatewayResources.utf8) } catch {
                throw SettingError(name: "gateway-resources", wanted: "JSON with requests and limits", found: "\(error)")
            }
        }
        gateway.tlsSecret = command.gatewayTlsSecret.isEmpty ? nil : command.gatewayTlsSecret
        switch (command.gatewayJwksConfigMap, command.gatewayJwksSecret) {
        case ("", ""): break
        case (let name, ""): gateway.jwks = .configMap(name)
        case ("", let name): gateway.jwks = .secret(name)
        case (let map, _): throw SettingError(name: "gateway-jwks-config-map", wanted: "none beside gateway-jwks-secret", found: map)
        }
        gateway.hasTap = try SettingText.flag("gateway-tap", command.gatewayTap)
        gateway.accessLog = command.gatewayAccessLog == "off" ? nil : command.gatewayAccessLog
        return gateway
    }
}
