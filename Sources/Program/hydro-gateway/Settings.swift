// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Gateway
import Glibc
import HydroAPI
import Telemetry
import Wire

/// What the program was told, checked.
struct Settings: Sendable {
    var address: String
    var httpPort: Int
    var grpcPort: Int
    var adminPort: Int
    var loops: Int
    var defaultNamespace: String
    var watchNamespaces: [String]
    var maxBody: Int
    var requestTimeout: Duration
    var patience: Duration
    var concurrency: Int
    var queue: Int
    var slowStart: Duration
    var shadowCopies: Int
    var shadowBytes: Int
    var drainDelay: Duration
    var drainTimeout: Duration
    var tls: TLSFiles?
    var jwks: String?
    var tokenOutage: Duration
    var tapSocket: String?
    var tapRecords: Int
    var tapBytes: Int
    var accessLog: RequestLog.Mode
    var accessLogLines: Int
    var kafkaInFlight: Int
    var kafkaPatience: Duration
    var kafkaSession: Duration
    var kubeContext: String?
    var log: LogSettings
    var environment: [String: String]

    init(_ flags: HydroGateway, environment: [String: String]) throws(SettingError) {
        self.environment = environment
        let read = SettingReader(environment: environment)
        address = read.text(flags.address, "HYDRO_ADDRESS") ?? "0.0.0.0"
        httpPort = try read.number("--http-port", flags.httpPort, "HYDRO_HTTP_PORT", orElse: 9090, within: 0...65_535)
        grpcPort = try read.number("--grpc-port", flags.grpcPort, "HYDRO_GRPC_PORT", orElse: 9091, within: 0...65_535)
        adminPort = try read.number("--admin-port", flags.adminPort, "HYDRO_ADMIN_PORT", orElse: 9092, within: 0...65_535)
        let cores = max(1, min(8, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        loops = try read.number("--loops", flags.loops, "HYDRO_LOOPS", orElse: cores, within: 1...256)
        defaultNamespace = read.text(flags.defaultNamespace, "HYDRO_DEFAULT_NAMESPACE") ?? "default"
        watchNamespaces = SettingText.names(read.text(flags.watchNamespaces, "HYDRO_WATCH_NAMESPACES") ?? "")
        maxBody = try read.number("--max-body", flags.maxBody, "HYDRO_MAX_BODY", orElse: 50 << 20, within: 1024...2_000_000_000)
        requestTimeout = try read.span("--request-timeout", flags.requestTimeout, "HYDRO_REQUEST_TIMEOUT", orElse: .seconds(60))
        patience = try read.span("--patience", flags.patience, "HYDRO_PATIENCE", orElse: .seconds(2))
        concurrency = try read.number("--concurrency", flags.concurrency, "HYDRO_CONCURRENCY", orElse: 1000, within: 1...1_000_000)
        queue = try read.number("--queue", flags.queue, "HYDRO_QUEUE", orElse: 1000, within: 0...1_000_000)
        slowStart = try read.span("--slow-start", flags.slowStart, "HYDRO_SLOW_START", orElse: .seconds(10))
        shadowCopies = try read.number("--shadow-copies", flags.shadowCopies, "HYDRO_SHADOW_COPIES", orElse: 128, within: 1...100_000)
        shadowBytes = try read.number(
            "--shadow-bytes", flags.shadowBytes, "HYDRO_SHADOW_BYTES", orElse: 64 << 20, within: 4096...16_000_000_000)
        drainDelay = try read.span("--drain-delay", flags.drainDelay, "HYDRO_DRAIN_DELAY", orElse: .seconds(5))
        drainTimeout = try read.span("--drain-timeout", flags.drainTimeout, "HYDRO_DRAIN_TIMEOUT", orElse: .seconds(20))
        tls = try Self.tls(read.text(flags.tlsCertificate, "HYDRO_TLS_CERTIFICATE"), read.text(flags.tlsKey, "HYDRO_TLS_KEY"))
        jwks = read.text(flags.jwks, "HYDRO_JWKS")
        tokenOutage = try read.span("--token-outage", flags.tokenOutage, "HYDRO_TOKEN_OUTAGE", orElse: .seconds(300))
        tapSocket = read.text(flags.tapSocket, "HYDRO_TAP_SOCKET")
        tapRecords = try read.number("--tap-records", flags.tapRecords, "HYDRO_TAP_RECORDS", orElse: 8192, within: 2...1_000_000)
        tapBytes = try read.number("--tap-bytes", flags.tapBytes, "HYDRO_TAP_BYTES", orElse: 64 << 20, within: 0...2_000_000_000)
        accessLog = try Self.accessLog(read.text(flags.accessLog, "HYDRO_ACCESS_LOG") ?? "off")
        accessLogLines = try read.number(
            "--access-log-lines", flags.accessLogLines, "HYDRO_ACCESS_LOG_LINES", orElse: 1000, within: 1...1_000_000)
        kafkaInFlight = try read.number(
            "--kafka-in-flight", flags.kafkaInFlight, "HYDRO_KAFKA_IN_FLIGHT", orElse: 256, within: 1...100_000)
        kafkaPatience = try read.span("--kafka-patience", flags.kafkaPatience, "HYDRO_KAFKA_PATIENCE", orElse: .seconds(300))
        kafkaSession = try read.span("--kafka-session", flags.kafkaSession, "HYDRO_KAFKA_SESSION", orElse: .seconds(10))
        kubeContext = read.text(flags.kubeContext, "HYDRO_KUBE_CONTEXT")
        var logging: [String: String] = [:]
        logging["LOG_LEVEL"] = read.text(flags.logLevel, "HYDRO_LOG_LEVEL")
        logging["LOG_FORMAT"] = read.text(flags.logFormat, "HYDRO_LOG_FORMAT")
        log = try LogSettings(environment: logging, isTerminal: LogSink.standardError.isTerminal)
    }
}

extension Settings {
    private static func tls(_ certificate: String?, _ key: String?) throws(SettingError) -> TLSFiles? {
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return TLSFiles(certificate: certificate, key: key)
        default:
            throw SettingError(name: "--tls-certificate and --tls-key", wanted: "both or none", found: certificate ?? key ?? "")
        }
    }

    private static func accessLog(_ text: String) throws(SettingError) -> RequestLog.Mode {
        guard let mode = RequestLog.Mode(text) else {
            throw SettingError(name: "--access-log (HYDRO_ACCESS_LOG)", wanted: "off, errors, or a share above 0 and up to 1", found: text)
        }
        return mode
    }
}

/// Reads one setting: the flag, else the variable, else what is usual. An empty text counts as not given.
struct SettingReader {
    var environment: [String: String]

    func text(_ flag: String?, _ variable: String) -> String? {
        [flag, environment[variable]].compactMap(\.self).first { !$0.isEmpty }
    }

    func number(
        _ name: String, _ flag: String?, _ variable: String, orElse usual: Int, within range: ClosedRange<Int>
    ) throws(SettingError) -> Int {
        guard let text = text(flag, variable) else { return usual }
        return try SettingText.number("\(name) (\(variable))", text, in: range)
    }

    func span(_ name: String, _ flag: String?, _ variable: String, orElse usual: Duration) throws(SettingError) -> Duration {
        guard let text = text(flag, variable) else { return usual }
        if text == "0" || text == "0s" { return .zero }
        guard let span = SpanText.duration(text) else {
            throw SettingError(name: "\(name) (\(variable))", wanted: "a whole number with ms, s or m", found: text)
        }
        return span
    }
}
