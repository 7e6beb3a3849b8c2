// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import Testing

struct OwnershipTests {
    @Test func `what the server adds is no difference`() {
        #expect(Ownership.difference(wanted: ["a": 1], found: ["a": 1, "b": 2]) == nil)
    }

    @Test(
        arguments: [
            (["a": ["b": 1]], ["a": ["b": 2]], "a.b"), (["a": [1, 2]], ["a": [1]], "a"), (["a": [["n": 1]]], ["a": [["n": 2]]], "a[0].n"),
            (["a": 1], [:], "a"),
        ] as [(JSONValue, JSONValue, String)])
    func `the first difference is named by its path`(wanted: JSONValue, found: JSONValue, path: String) {
        #expect(Ownership.difference(wanted: wanted, found: found) == path)
    }

    @Test func `quantities are compared by value, other texts are not`() {
        let wanted: JSONValue = ["resources": ["limits": ["cpu": "1000m", "memory": "1024Mi"]]]
        #expect(Ownership.difference(wanted: wanted, found: ["resources": ["limits": ["cpu": "1", "memory": "1Gi"]]]) == nil)
        #expect(Ownership.difference(wanted: ["env": "1000m"], found: ["env": "1"]) == "env")
    }

    @Test(arguments: [("500m", "0.5"), ("1Gi", "1073741824"), ("2e3", "2k"), ("1.5Ki", "1536")])
    func `equal amounts are equal`(left: String, right: String) { #expect(Quantity(left) == Quantity(right)) }

    @Test(arguments: ["", "m", "Gi", "one", "1x", "--1", "nan"]) func `what is no quantity is refused`(text: String) {
        #expect(Quantity(text) == nil)
    }
}

struct KubeRequestTests {
    private let key = ObjectKey("default", "a")

    @Test func `paths follow group, namespace and subresource`() {
        #expect(KubeRequest.get(Pod.kind, key).path == "/api/v1/namespaces/default/pods/a")
        #expect(ClusterRole.kind.path(ObjectKey("", "r")) == "/apis/rbac.authorization.k8s.io/v1/clusterroles/r")
        #expect(Deployment.kind.path(key, subresource: "status") == "/apis/apps/v1/namespaces/default/deployments/a/status")
    }

    @Test func `a query is percent-encoded`() {
        let request = KubeRequest.list(Pod.kind, namespace: nil, ListOptions(labels: "a=b,c in (d)"))
        #expect(request.target == "/api/v1/pods?labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=500")
    }

    @Test func `a deletion names the very object`() throws {
        let request = KubeRequest.delete(Pod.kind, key, uid: "u", resourceVersion: "3", propagation: .background)
        let body = try JSONValue.decode(json: try #require(request.body))
        #expect(body["preconditions"] == ["uid": "u", "resourceVersion": "3"])
        #expect(body["propagationPolicy"] == "Background")
    }

    @Test func `an object is written with version and kind first, as another version where asked`() {
        var budget = PodDisruptionBudget()
        budget.metadata = ObjectMeta(key)
        let text = String(decoding: budget.json(as: PodDisruptionBudget.kind.at(version: "v1beta1")), as: UTF8.self)
        #expect(
            text.hasPrefix(#"{"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget","metadata":{"name":"a","namespace":"default"}"#))
    }
}

struct LabelledConditionTests {
    @Test func `the time of transition is kept while the status is the same`() {
        let (then, now) = (Timestamp(seconds: 10), Timestamp(seconds: 99))
        var before = Condition("Ready", .false, reason: "Starting")
        before.lastTransitionTime = then
        let same = [Condition("Ready", .false, reason: "Crashing")].settled(after: [before], generation: 3, now: now)
        #expect(same["Ready"]?.lastTransitionTime == then)
        #expect(same["Ready"]?.observedGeneration == 3)
        let other = [Condition("Ready", .true, reason: "Ready")].settled(after: [before], generation: 3, now: now)
        #expect(other["Ready"]?.lastTransitionTime == now)
    }
}
