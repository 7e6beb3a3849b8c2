// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import JSON
import KubeClient
import KubeCore
import KubeRuntime
import Logging
import ServiceLifecycle
import Synchronization
import Transport

/// What the gateway's pods said last of their Kafka consumers.
package final class KafkaFindings: Sendable {
    private let last = Mutex<KafkaStanding?>(nil)

    package init() {}

    /// Nil until the pods have been asked.
    package var standing: KafkaStanding? { last.withLock { $0 } }

    func note(_ standing: KafkaStanding) { last.withLock { $0 = standing } }
}

/// Asks the gateway's pods for their Kafka consumers while there are entries, and has the Applications looked at whose condition is another.
struct KafkaSurvey: ServiceLifecycle.Service {
    static let period: Duration = .seconds(15)
    /// While something is not as it should be.
    static let hurry: Duration = .seconds(5)
    private static let longest = 4 << 20

    let stores: Stores
    let client: ClusterClient
    let settings: OperatorSettings
    let findings: KafkaFindings
    let queue: WorkQueue<ObjectKey>
    let gate: Leadership?
    let logger: Logger

    func run() async throws {
        let transport = CurlTransport(name: "kafka-survey", maxConnectionsPerHost: 1)
        defer { transport.shutdown() }
        do {
            try await cancelWhenGracefulShutdown {
                guard let gate else { return try await follow(transport) }
                try await gate.whileLeading { try await follow(transport) }
            }
        } catch is CancellationError {
            logger.debug("kafka survey stopped")
        }
    }

    private func follow(_ transport: CurlTransport) async throws {
        while true {
            let applications = stores.applications.all.filter { $0.status.activeRoute?.kafka.isEmpty == false }
            var pause = Self.period
            if !applications.isEmpty {
                do {
                    let standing = KafkaStanding(try await ask(transport))
                    findings.note(standing)
                    pause = tell(applications, standing) ? Self.period : Self.hurry
                } catch {
                    try Task.checkCancellation()
                    logger.debug("gateway's pods cannot be listed", metadata: ["error": "\(error)"])
                }
            }
            try await Task.sleep(for: pause)
        }
    }

    /// Whether all is well. The reconciler writes what is new.
    private func tell(_ applications: [Application], _ standing: KafkaStanding) -> Bool {
        var isWell = true
        for application in applications {
            let condition = standing.condition(of: application.key, application.status.activeRoute?.kafka ?? [])
            let known = application.status.conditions[ConditionType.kafkaReady]
            if condition?.status != .true { isWell = false }
            if condition?.status != known?.status || condition?.reason != known?.reason || condition?.message != known?.message {
                queue.add(application.key)
            }
        }
        return isWell
    }

    private func ask(_ transport: CurlTransport) async throws -> [String: KafkaReport?] {
        let selector = "\(Labels.name)=hydro,\(Labels.component)=gateway"
        let pods = try await client.list(Pod.self, namespace: settings.namespace, ListOptions(labels: selector)).items
            .filter { !$0.status.podIP.isEmpty && !$0.isBeingDeleted && $0.status.phase == "Running" }
        return try await withThrowingTaskGroup(of: (String, KafkaReport?).self) { group in
            for pod in pods { group.addTask { (pod.metadata.name, await report(of: pod.status.podIP, transport)) } }
            var reports: [String: KafkaReport?] = [:]
            for try await (name, report) in group { reports[name] = .some(report) }
            return reports
        }
    }

    private func report(of address: String, _ transport: CurlTransport) async -> KafkaReport? {
        let host = address.contains(":") ? "[\(address)]" : address
        let request = TransportRequest(
            url: "http://\(host):\(GatewayDesired.adminPort)/kafka", timeouts: Timeouts(connect: .seconds(2), whole: .seconds(4)),
            bypassProxy: true)
        do {
            let answer = try await transport.send(request)
            guard answer.status == 200 else { return nil }
            return try KafkaReport.decode(json: try await answer.collect(upTo: Self.longest))
        } catch {
            // A pod that comes or goes; the condition says so when none answers.
            logger.debug("gateway's pod does not tell of kafka", metadata: ["pod": "\(address)", "error": "\(error)"])
            return nil
        }
    }
}
