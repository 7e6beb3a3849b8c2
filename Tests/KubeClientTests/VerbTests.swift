// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import LoopbackTesting
import Testing
import Transport

@testable import KubeClient

struct VerbTests {
    private let key = ObjectKey("shop", "a")

    /// A request of this type and body; any ConfigMap is its answer.
    private func step(_ method: String, _ target: String, type: String?, body: String?) -> Scenario.Step {
        .init(
            method, target,
            check: { seen in
                if seen.header("Content-Type") != type {
                    return "wanted type \(type ?? "none"), found \(seen.header("Content-Type") ?? "none")"
                }
                return body == nil || seen.text == body ? nil : "wanted \(body ?? ""), found \(seen.text)"
            }, .json(configMap("a")))
    }

    @Test func `each verb is the request that the API wants`() async throws {
        let json = "application/json"
        let object = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop","uid":"u","resourceVersion":"7"}}"#
        let bare = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"}}"#
        let scenario = Scenario([
            step("GET", "\(maps)/a", type: nil, body: ""),
            step("POST", "\(maps)?fieldManager=tester", type: json, body: object),
            step("PATCH", "\(maps)/a?fieldManager=tester&force=true", type: "application/apply-patch+yaml", body: bare),
            step(
                "PATCH", "\(maps)/a/status?fieldManager=tester&force=true", type: "application/apply-patch+yaml",
                body: #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"},"status":{}}"#),
            step("PATCH", "\(maps)/a?fieldManager=tester", type: "application/merge-patch+json", body: #"{"data":null}"#),
            step(
                "PATCH", "\(maps)/a?fieldManager=tester", type: "application/json-patch+json",
                body: #"[{"op":"test","path":"/metadata/uid","value":"u"}]"#),
            step("PUT", "\(maps)/a?fieldManager=tester", type: json, body: object),
            step(
                "DELETE", "\(maps)/a", type: json,
                body: #"{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u"},"propagationPolicy":"Background"}"#),
        ])
        try await withCluster(scenario) { client in
            var map = ConfigMap()
            map.metadata = ObjectMeta(key)
            map.metadata.uid = "u"
            map.metadata.resourceVersion = "7"
            let found = try await client.get(ConfigMap.self, key)
            #expect(found.key == key)
            _ = try await client.create(map)
            _ = try await client.apply(map)
            _ = try await client.applyStatus(map)
            _ = try await client.mergePatch(ConfigMap.self, key, ["data": nil])
            _ = try await client.jsonPatch(ConfigMap.self, key, [JSONPatchStep(.test, "/metadata/uid", "u")])
            _ = try await client.replace(map)
            let wasThere = try await client.delete(ConfigMap.kind, key, uid: "u")
            #expect(wasThere)
        }
    }

    @Test func `what is not there is nil to find and false to delete`() async throws {
        let scenario = Scenario([
            .init("GET", "\(maps)/a", status(404, "NotFound")), .init("DELETE", "\(maps)/a", status(404, "NotFound")),
        ])
        try await withCluster(scenario) { client in
            let found = try await client.find(ConfigMap.self, key)
            let wasThere = try await client.delete(ConfigMap.kind, key)
            #expect(found == nil && !wasThere)
        }
    }

    @Test func `a list is all of its pages`() async throws {
        let scenario = Scenario([
            .init("GET", "\(maps)?labelSelector=a%3Db&limit=2", .json(list(["a", "b"], version: 5, next: "more"))),
            .init("GET", "\(maps)?labelSelector=a%3Db&limit=2&continue=more", .json(list(["c"], version: 5))),
        ])
        try await withCluster(scenario) { client in
            let all = try await client.list(ConfigMap.self, namespace: "shop", ListOptions(labels: "a=b", limit: 2))
            #expect(all.items.map(\.metadata.name) == ["a", "b", "c"])
            #expect(all.metadata.resourceVersion == "5")
        }
    }

    @Test func `a page that expired begins the list anew, and at last in one piece`() async throws {
        let first = LoopbackAnswer.json(list(["a"], version: 5, next: "more"))
        let gone = status(410, "Expired")
        let round: [Scenario.Step] = [
            .init("GET", "\(maps)?limit=1", first), .init("GET", "\(maps)?limit=1&continue=more", gone),
        ]
        let scenario = Scenario(round + round + round + [.init("GET", "\(maps)?limit=0", .json(list(["a", "b"], version: 9)))])
        try await withCluster(scenario) { client in
            let all = try await client.list(ConfigMap.self, namespace: "shop", ListOptions(limit: 1))
            #expect(all.items.map(\.metadata.name) == ["a", "b"])
        }
    }

    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var answer: LoopbackAnswer
        var isRight: @Sendable (KubeError) -> Bool
    }

    static let refusals: [Row] = [
        Row(testDescription: "404", answer: status(404, "NotFound")) { if case .notFound = $0 { true } else { false } },
        Row(testDescription: "409 exists", answer: status(409, "AlreadyExists")) { if case .alreadyExists = $0 { true } else { false } },
        Row(testDescription: "409 conflict", answer: status(409, "Conflict")) { if case .conflict = $0 { true } else { false } },
        Row(testDescription: "410", answer: status(410, "Gone")) { if case .expired = $0 { true } else { false } },
        Row(testDescription: "401", answer: status(401, "Unauthorized")) { if case .unauthorized = $0 { true } else { false } },
        Row(testDescription: "403", answer: status(403, "Forbidden")) { if case .forbidden = $0 { true } else { false } },
        Row(testDescription: "422", answer: status(422, "Invalid")) { if case .invalid = $0 { true } else { false } },
        Row(testDescription: "429 without a time", answer: status(429, "TooManyRequests")) {
            if case .tooManyRequests = $0 { true } else { false }
        },
        Row(testDescription: "500", answer: status(500, "InternalError")) { if case .unavailable = $0 { $0.isTransient } else { false } },
        Row(testDescription: "502 in HTML", answer: LoopbackAnswer(502, "<html>")) { if case .unavailable = $0 { true } else { false } },
        Row(testDescription: "400", answer: status(400, "BadRequest")) { if case .refused = $0 { true } else { false } },
        Row(testDescription: "200 without JSON", answer: LoopbackAnswer(200, "ok")) { if case .badAnswer = $0 { true } else { false } },
        Row(testDescription: "no answer", answer: .hangUp) { if case .transport = $0 { $0.isTransient } else { false } },
    ]

    @Test(arguments: refusals) func `a refusal has a case of its own and names what was asked`(row: Row) async throws {
        try await withCluster(Scenario([.init("PATCH", "\(maps)/a?fieldManager=tester", row.answer)])) { client in
            let error = await failure { _ = try await client.mergePatch(ConfigMap.self, key, [:]) }
            guard let error else { return }
            #expect(row.isRight(error), "\(error)")
            #expect("\(error)".hasPrefix("patch ConfigMap shop/a: "))
        }
    }

    @Test(arguments: [429, 503]) func `a server that says when is asked again then`(code: Int) async throws {
        var busy = status(code, "TooManyRequests")
        busy.headers.append(("Retry-After", "2"))
        let clock = SkippingClock()
        let scenario = Scenario([
            .init("GET", "\(maps)/a", busy), .init("GET", "\(maps)/a", busy), .init("GET", "\(maps)/a", .json(configMap("a"))),
        ])
        try await withCluster(scenario, clock: clock) { client in
            _ = try await client.get(ConfigMap.self, key)
        }
        #expect(clock.sleeps == [.seconds(2), .seconds(2)])
    }

    @Test func `a pause longer than our patience is handed to the caller`() async throws {
        var busy = status(429, "TooManyRequests")
        busy.headers.append(("Retry-After", "3600"))
        try await withCluster(Scenario([.init("GET", "\(maps)/a", busy)])) { client in
            let error = await failure { _ = try await client.get(ConfigMap.self, key) }
            #expect(error?.refusal?.retryAfter == .seconds(3600))
        }
    }

    @Test(arguments: ["..", "a/../b", "a?b", "a b", "", "a%2e"]) func `a name that leads elsewhere is not sent`(name: String) async throws {
        try await withCluster(Scenario([])) { client in
            let error = await failure { _ = try await client.get(ConfigMap.self, ObjectKey("shop", name)) }
            guard case .transport(_, .invalidRequest(_)) = error else { throw error ?? .cancelled }
        }
    }

    @Test func `what the server can do is asked once`() async throws {
        let scenario = Scenario(
            ordered: false,
            [
                .init("GET", "/apis/policy/v1", status(404, "NotFound")),
                .init("GET", "/apis/policy/v1beta1", .json(#"{"resources":[{"name":"x","kind":"PodDisruptionBudget"}]}"#)),
                .init("GET", "/version", .json(#"{"major":"1","minor":"20+"}"#)),
            ])
        try await withCluster(scenario) { client in
            let kind = ResourceKind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
            try await withThrowingTaskGroup(of: ResourceKind?.self) { group in
                for _ in 0..<10 { group.addTask { try await client.preferred([kind, kind.at(version: "v1beta1")]) } }
                for try await found in group { #expect(found?.version == "v1beta1") }
            }
            let isServed = try await client.serves("policy", "v1", "PodDisruptionBudget")
            #expect(!isServed)
            for _ in 0..<2 {
                let version = try await client.serverVersion()
                #expect(version.major == 1 && version.minor == 20)
            }
        }
    }
}
