// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import JSON
import KubeClient
import KubeCore
import LoopbackTesting
import ServiceLifecycle
import Testing

@testable import KubeRuntime

/// Where a real API server is, if the run has one.
private let kubeconfig = getenv("HYDRO_APISERVER_KUBECONFIG").map { String(cString: $0) }

/// What only a real server can say: that leases, patches, watches and events mean what we think they do.
@Suite(.enabled(if: kubeconfig != nil, "HYDRO_APISERVER_KUBECONFIG names no API server"), .timeLimit(.minutes(2)))
struct APIServerTests {
    /// A client, and a namespace of this test's own that goes with it.
    private func withNamespace(_ body: (ClusterClient, String) async throws -> Void) async throws {
        let config = try ClusterConfig.kubeconfig(path: try #require(kubeconfig))
        let client = ClusterClient(config, fieldManager: "tester", logger: quiet)
        defer { client.shutdown() }
        let kind = ResourceKind("", "v1", "Namespace", "namespaces", isNamespaced: false)
        let name = "runtime-\(UInt32.random(in: .min ... .max))"
        let json = #"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"\#(name)"}}"#
        _ = try await client.apply(json: Array(json.utf8), kind: kind, key: ObjectKey("", name))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(client, name)) } catch { outcome = .failure(error) }
        _ = try await client.delete(kind, ObjectKey("", name))
        try outcome.get()
    }

    private func map(_ name: String, in namespace: String, _ value: String, finalizers: [String] = []) -> ConfigMap {
        var object = configMap(name, in: namespace)
        object.data = ["value": value]
        object.metadata.finalizers = finalizers
        return object
    }

    @Test func `a killed leader is followed within the lease, and two never lead at once`() async throws {
        try await withNamespace { client, namespace in
            let timing = LeadershipTiming(lease: .seconds(4), renewDeadline: .seconds(3), retry: .milliseconds(500), attempt: .seconds(1))
            let key = ObjectKey(namespace, "leader")
            let journal = Journal<String>()
            func candidate(_ name: String) -> [@Sendable () async throws -> Void] {
                let leadership = Leadership(client: client, lease: key, identity: name, timing: timing, stuckWork: .log, logger: quiet)
                let work: @Sendable () async throws -> Void = {
                    try await leadership.whileLeading {
                        journal.note("\(name) begins")
                        defer { journal.note("\(name) ends") }
                        try await Task.sleep(for: .seconds(3600))
                    }
                }
                return [{ try await leadership.run() }, work]
            }
            let clock = ContinuousClock()
            var killed = clock.now
            try await beside(candidate("two")) {
                try await journal.count.reaches(1)
                try await beside(candidate("three")) {}
                #expect(journal.entries == ["two begins"])
                killed = clock.now
            }
            try await beside(candidate("four")) {
                try await journal.count.reaches(3)
                #expect(clock.now - killed < timing.lease + .seconds(2))
                #expect(clock.now - killed > .seconds(2))
            }
            #expect(journal.entries.prefix(3) == ["two begins", "two ends", "four begins"])
            #expect(try await client.get(Lease.self, key).spec.leaseTransitions == 1)
        }
    }

    @Test func `a lease that was given back is taken at once`() async throws {
        try await withNamespace { client, namespace in
            let key = ObjectKey(namespace, "leader")
            let one = Leadership(client: client, lease: key, identity: "one", stuckWork: .log, logger: quiet)
            let group = ServiceGroup(services: [one], logger: quiet)
            try await beside([{ try await group.run() }]) {
                try await one.whileLeading {}
                await group.triggerGracefulShutdown()
                while try await client.get(Lease.self, key).spec.holderIdentity != nil { try await Task.sleep(for: .milliseconds(20)) }
            }
            let two = Leadership(client: client, lease: key, identity: "two", stuckWork: .log, logger: quiet)
            let start = ContinuousClock.now
            try await beside([{ try await two.run() }]) { try await two.whileLeading {} }
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test func `a change reaches the reconciler, an object that goes is cleaned up, and strangers' finalizers stay`() async throws {
        try await withNamespace { client, namespace in
            let store = Store<ConfigMap>()
            let queue = WorkQueue<ObjectKey>()
            let journal = Journal<String>()
            let reflector = Reflector(
                client: client, namespaces: [namespace], store: store, logger: quiet,
                listeners: [Trigger<ConfigMap>.itself().feeding(queue)])
            let finalizer = Finalizer<ConfigMap>("example.org/us") { object in
                journal.note("clean \(object.metadata.name)")
                return .done
            }
            let controller = Controller(
                name: "test", store: store, queue: queue, finalizer: finalizer, client: client, gate: nil, logger: quiet,
                reconcile: { object in
                    journal.note("\(object.metadata.name) \(object.data["value"] ?? "") \(object.metadata.finalizers)")
                    return .settled
                })
            try await beside([{ try await reflector.run() }, { try await controller.run() }]) {
                _ = try await client.create(map("a", in: namespace, "1"))
                try await heard(#"a 1 ["example.org/us"]"#, in: journal)
                _ = try await client.create(map("b", in: namespace, "1", finalizers: ["example.org/stranger"]))
                try await heard(#"b 1 ["example.org/stranger", "example.org/us"]"#, in: journal)
                _ = try await client.apply(map("a", in: namespace, "2"))
                try await heard(#"a 2 ["example.org/us"]"#, in: journal)
                for name in ["a", "b"] { _ = try await client.delete(ConfigMap.kind, ObjectKey(namespace, name)) }
                try await heard("clean a", in: journal)
                try await heard("clean b", in: journal)
                let isGone = { try await client.find(ConfigMap.self, ObjectKey(namespace, "a")) == nil }
                while try await !isGone() { try await Task.sleep(for: .milliseconds(20)) }
                while try await client.get(ConfigMap.self, ObjectKey(namespace, "b")).metadata.finalizers != ["example.org/stranger"] {
                    try await Task.sleep(for: .milliseconds(20))
                }
                let patch: JSONValue = ["metadata": ["finalizers": nil]]
                _ = try await client.mergePatch(ConfigMap.self, ObjectKey(namespace, "b"), patch)
            }
        }
    }

    @Test func `what happens twice is one event, counted`() async throws {
        try await withNamespace { client, namespace in
            let object = try await client.create(map("a", in: namespace, "1"))
            let recorder = EventRecorder(client: client, component: "tester", instance: "i", logger: quiet)
            try await beside([{ try await recorder.run() }]) {
                for _ in 0..<2 { recorder.record(on: object.ref, .warning, reason: "Failed", message: "wanted a, found b") }
                while true {
                    let events = try await client.list(Event.self, namespace: namespace).items
                    if let event = events.first, event.count == 2 {
                        #expect(events.count == 1)
                        #expect(event.involvedObject.uid == object.metadata.uid)
                        #expect([event.type, event.reason, event.message] == ["Warning", "Failed", "wanted a, found b"])
                        break
                    }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }

    private func heard(_ entry: String, in journal: Journal<String>) async throws {
        while !journal.entries.contains(entry) { try await journal.count.reaches(journal.count.count + 1) }
    }
}
