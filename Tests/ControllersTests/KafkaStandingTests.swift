// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import KubeCore
import KubeRuntime
import Testing

@testable import Controllers

struct KafkaStandingTests {
    private static let key = ObjectKey(Make.namespace, "app")

    private static func entry(_ topic: String = "in", secret: String? = nil) -> Application.KafkaEntry {
        var entry = Application.KafkaEntry()
        entry.bootstrapServers = "kafka:9092"
        entry.sourceTopic = topic
        entry.destinationTopic = "out"
        entry.secretName = secret
        return entry
    }

    private static func report(_ state: KafkaState, _ message: String = "", topic: String = "in") -> KafkaReport {
        var seen = KafkaReport.Entry()
        (seen.namespace, seen.application) = (key.namespace, key.name)
        (seen.bootstrapServers, seen.sourceTopic, seen.destinationTopic) = ("kafka:9092", topic, "out")
        seen.consumerGroup = "app"
        (seen.state, seen.message) = (state, message)
        var report = KafkaReport()
        report.entries = [seen]
        return report
    }

    private static func condition(_ reports: KeyValuePairs<String, KafkaReport?>) -> Condition? {
        KafkaStanding(Dictionary(uniqueKeysWithValues: reports.map { ($0.key, $0.value) })).condition(of: key, [entry()])
    }

    @Test func `consumed by one replica is consumed, though another is only starting`() {
        let condition = Self.condition(["a": Self.report(.consuming), "b": Self.report(.starting), "c": nil])
        #expect(condition?.status == .true)
        #expect(condition?.reason == "Consuming")
    }

    @Test func `trouble anywhere is trouble, and says where and what`() {
        let bad = Self.report(.topicNotFound, "topic \"out\" is not there on \"kafka:9092\"")
        let condition = Self.condition(["a": Self.report(.consuming), "b": bad])
        #expect(condition?.status == .false)
        #expect(condition?.reason == "TopicNotFound")
        #expect(
            condition?.message == "source topic \"in\": topic \"out\" is not there on \"kafka:9092\" (1 of 2 gateway pods)")
    }

    @Test func `what nobody tells of is unknown`() {
        #expect(Self.condition([:])?.reason == "GatewayUnreachable")
        #expect(Self.condition(["a": nil])?.reason == "GatewayUnreachable")
        #expect(Self.condition(["a": KafkaReport()])?.reason == "Starting")
        #expect(Self.condition(["a": Self.report(.consuming, topic: "other")])?.status == .unknown)
        #expect(KafkaStanding([:]).condition(of: Self.key, []) == nil)
    }

    private func plan(
        _ entries: [Application.KafkaEntry], before: Application? = nil, _ change: (inout ApplicationObserved) -> Void = { _ in }
    )
        -> ApplicationPlan
    {
        let version = Make.version(1)
        var seen = Make.observed([version], [Make.servable(version, ready: true)])
        change(&seen)
        var application = before ?? Make.application([[Make.variant("iris")]])
        application.spec.kafka = entries
        return ApplicationPlan(for: application, given: seen, settings: Make.settings)
    }

    @Test func `an application is ready whatever its topics are`() {
        let plan = plan([Self.entry()]) { $0.kafka = KafkaStanding(["a": Self.report(.brokerUnreachable, "gone")]) }
        #expect(plan.standing == .ready(message: "iris:1"))
        #expect(plan.conditions[ConditionType.kafkaReady]?.reason == "BrokerUnreachable")
        #expect(plan.status.activeRoute?.kafka == [Self.entry()])
        #expect(self.plan([]).conditions[ConditionType.kafkaReady] == nil)
        #expect(self.plan([Self.entry()]).conditions[ConditionType.kafkaReady]?.status == .unknown)
    }

    @Test func `the gateway may read the secrets that are named, and no others`() throws {
        let steps = plan([Self.entry(secret: "keys"), Self.entry("more", secret: "keys")]).steps
        guard case .grant(let grant) = steps.last else {
            Issue.record("wanted a grant, got \(steps)")
            return
        }
        #expect(grant.role.rules.map(\.resourceNames) == [["keys"]])
        #expect(grant.role.rules.map(\.verbs) == [["get"]])
        #expect(grant.role.metadata.namespace == Make.namespace)
        #expect(grant.binding.subjects.map(\.namespace) == ["hydro-system"])
        let again = plan([Self.entry(secret: "keys")]) { $0.grant = KafkaGrantSeen(role: grant.role, binding: grant.binding) }
        #expect(again.steps.isEmpty)
        let without = plan([Self.entry()]) { $0.grant = KafkaGrantSeen(role: grant.role, binding: grant.binding) }
        #expect(without.steps == [.withdrawGrant])
    }
}
