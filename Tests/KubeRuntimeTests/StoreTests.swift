// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Testing

@testable import KubeRuntime

func configMap(
    _ name: String, in namespace: String = "shop", version: String = "", uid: String = "", labels: [String: String] = [:],
    owners: [OwnerReference] = []
) -> ConfigMap {
    var object = ConfigMap()
    object.metadata = ObjectMeta(ObjectKey(namespace, name), labels: labels, owners: owners)
    object.metadata.resourceVersion = version
    object.metadata.uid = uid
    return object
}

func owner(_ kind: ResourceKind, _ name: String, uid: String) -> OwnerReference {
    OwnerReference(apiVersion: kind.apiVersion, kind: kind.kind, name: name, uid: uid)
}

struct StoreTests {
    @Test func `a full list yields what is different`() {
        let store = Store<ConfigMap>()
        let (a, b) = (configMap("a", version: "1"), configMap("b", version: "2"))
        #expect(store.replace([a, b]) == [.appeared(a), .appeared(b)])
        let (b3, c) = (configMap("b", version: "3"), configMap("c", version: "4"))
        #expect(store.replace([b3, c]) == [.vanished(a), .changed(old: b, new: b3), .appeared(c)])
        #expect(store.replace([b3, c]) == [])
        #expect(store.get(a.key) == nil)
        #expect(store.count == 2)
    }

    @Test func `a state that is known is not told again`() {
        let store = Store<ConfigMap>()
        let a = configMap("a", version: "1", uid: "x")
        #expect(store.put(a) == .appeared(a))
        #expect(store.put(a) == nil)
        let reborn = configMap("a", version: "1", uid: "y")
        #expect(store.put(reborn) == .changed(old: a, new: reborn))
        #expect(store.remove(a) == .vanished(reborn))
        #expect(store.remove(a) == nil)
    }

    @Test func `objects are found by owner and label, and no longer when these change`() {
        let store = Store<ConfigMap>(indices: [.label("app")])
        let parent = owner(ConfigMap.kind, "p", uid: "u1")
        let a = configMap("a", version: "1", labels: ["app": "web"], owners: [parent, owner(Secret.kind, "q", uid: "u2")])
        let b = configMap("b", version: "2", labels: ["app": "web"], owners: [parent])
        _ = store.replace([b, a])
        #expect(store.owned(by: "u1").map(\.key.name) == ["a", "b"])
        #expect(store.owned(by: "u2").map(\.key.name) == ["a"])
        #expect(store.indexed("app", "web").map(\.key.name) == ["a", "b"])
        _ = store.put(configMap("a", version: "3", labels: ["app": "db"]))
        #expect(store.owned(by: "u1").map(\.key.name) == ["b"])
        #expect(store.owned(by: "u2").isEmpty)
        #expect(store.indexed("app", "db").map(\.key.name) == ["a"])
        _ = store.remove(b)
        #expect(store.owned(by: "u1").isEmpty)
        #expect(store.indexed("app", "web").isEmpty)
        #expect(store.indexed("none", "web").isEmpty)
    }

    @Test func `a list of one namespace says nothing about another`() {
        let store = Store<ConfigMap>()
        store.expect(["shop", "bank"])
        _ = store.replace([configMap("a", in: "shop", version: "1")], in: "shop")
        #expect(!store.hasSynced)
        _ = store.replace([configMap("a", in: "bank", version: "2")], in: "bank")
        #expect(store.hasSynced)
        #expect(store.replace([], in: "shop").count == 1)
        #expect(store.keys == [ObjectKey("bank", "a")])
    }

    @Test func `a store that nobody fills is not synced, and waiting for it ends at the deadline`() async throws {
        let timeline = ManualTimeline()
        let store = Store<ConfigMap>(timeline: timeline)
        async let waited: Void = store.waitUntilSynced(within: .seconds(5))
        await timeline.someoneSleeps(until: .seconds(5))
        timeline.advance(by: .seconds(5))
        do {
            try await waited
            Issue.record("wanted the deadline, found a synced store")
        } catch let error as DeadlineExceeded {
            #expect(error.after == .seconds(5))
        }
    }

    @Test func `the first list wakes whoever waits`() async throws {
        let timeline = ManualTimeline()
        let store = Store<ConfigMap>(timeline: timeline)
        store.expect([])
        async let waited: Void = store.waitUntilSynced(within: .seconds(5))
        await timeline.someoneSleeps(until: .seconds(5))
        _ = store.replace([])
        try await waited
    }
}

struct TriggerTests {
    let parent = ResourceKind("example.org", "v1", "Parent", "parents")

    @Test func `an owned object triggers its owners of that kind, before and after`() {
        let old = configMap("a", owners: [owner(parent, "x", uid: "1"), owner(Secret.kind, "s", uid: "2")])
        let new = configMap("a", owners: [owner(parent, "x", uid: "1"), owner(parent.at(version: "v2"), "y", uid: "3")])
        let trigger = Trigger<ConfigMap>.owner(ofKind: parent)
        #expect(trigger.keys(for: .changed(old: old, new: new)) == [ObjectKey("shop", "x"), ObjectKey("shop", "y")])
        #expect(trigger.keys(for: .vanished(configMap("b"))) == [])
    }

    @Test func `a mapped trigger asks about the object as it was and as it is`() {
        let trigger = Trigger<ConfigMap>.mapped { $0.metadata.labels["for"].map { [ObjectKey("shop", $0)] } ?? [] }
        let change = StoreChange.changed(old: configMap("a", labels: ["for": "x"]), new: configMap("a", labels: ["for": "y"]))
        #expect(trigger.keys(for: change) == [ObjectKey("shop", "x"), ObjectKey("shop", "y")])
    }

    @Test func `a new generation or the begin of deletion triggers, a status does not`() {
        func object(_ generation: Int64, _ version: String, deleted: Bool = false) -> ConfigMap {
            var object = configMap("a", version: version, uid: "u")
            object.metadata.generation = generation
            object.metadata.deletionTimestamp = deleted ? Timestamp(seconds: 1) : nil
            return object
        }
        let trigger = Trigger<ConfigMap>.itself()
        #expect(trigger.keys(for: .appeared(object(1, "1"))) == [ObjectKey("shop", "a")])
        #expect(trigger.keys(for: .changed(old: object(1, "1"), new: object(1, "2"))).isEmpty)
        #expect(trigger.keys(for: .changed(old: object(1, "1"), new: object(2, "2"))).count == 1)
        #expect(trigger.keys(for: .changed(old: object(1, "1"), new: object(1, "2", deleted: true))).count == 1)
        #expect(trigger.keys(for: .changed(old: object(0, "1"), new: object(0, "2"))).count == 1)
        #expect(trigger.keys(for: .vanished(object(1, "1"))).count == 1)
    }

    @Test func `predicates join`() {
        let labelled = Predicate<ConfigMap>.labelled("app", "web")
        let with = StoreChange.appeared(configMap("a", labels: ["app": "web"]))
        let without = StoreChange.appeared(configMap("a", labels: ["app": "db"]))
        let leaving = StoreChange.changed(old: configMap("a", labels: ["app": "web"]), new: configMap("a"))
        #expect([with, without, leaving].map(labelled.accepts) == [true, false, true])
        #expect([with, without].map((!labelled).accepts) == [false, true])
        #expect([with, without].map((labelled || .labelled("app")).accepts) == [true, true])
        #expect([with, without].map((labelled && .labelled("app", "db")).accepts) == [false, false])
        #expect(Predicate<ConfigMap>.metadataChanged.accepts(leaving))
        #expect(
            !Predicate<ConfigMap>.metadataChanged.accepts(.changed(old: configMap("a", version: "1"), new: configMap("a", version: "2"))))
        #expect(Predicate<ConfigMap>.owned(byKind: parent).accepts(.appeared(configMap("a", owners: [owner(parent, "x", uid: "1")]))))
    }
}
