// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeClient
import KubeCore
import LoopbackTesting
import Testing

@testable import KubeRuntime

struct ControllerTests {
    /// A store with two objects, and a controller on it that notes whom it looks at.
    private struct Stage {
        let timeline = ManualTimeline()
        let store = Store<ConfigMap>()
        let queue: WorkQueue<ObjectKey>
        let journal = Journal<String>()

        init(_ names: [String] = ["a", "b"]) {
            queue = WorkQueue(timeline: timeline)
            store.expect([])
            _ = store.replace(names.map { configMap($0, version: "1", uid: $0) })
        }

        func controller(
            _ client: ClusterClient, finalizer: Finalizer<ConfigMap>? = nil, deadline: Duration = .seconds(60),
            _ reconcile: @escaping @Sendable (ConfigMap) async throws -> Verdict
        ) -> Controller<ConfigMap> {
            Controller(
                name: "test", store: store, queue: queue, settings: ControllerSettings(workers: 2, deadline: deadline),
                finalizer: finalizer,
                client: client, gate: nil, timeline: timeline, logger: quiet,
                reconcile: { object in
                    journal.note(object.metadata.name)
                    return try await reconcile(object)
                }, onGone: { key in journal.note("gone \(key.name)") })
        }
    }

    private struct Broken: Error {}
    private let nowhere: @Sendable (LoopbackRequest) -> LoopbackAnswer = { _ in refusal(500, "InternalError") }

    @Test func `every object is looked at after the start, and again when its verdict says`() async throws {
        let stage = Stage()
        try await withServer(nowhere) { client, _ in
            let controller = stage.controller(client) { _ in .waiting(reason: "Building", retry: .seconds(10)) }
            try await beside([{ try await controller.run() }]) {
                try await stage.journal.count.reaches(2)
                await stage.timeline.someoneSleeps(until: .seconds(10))
                stage.timeline.advance(by: .seconds(10))
                try await stage.journal.count.reaches(4)
                #expect(stage.journal.entries.sorted() == ["a", "a", "b", "b"])
            }
        }
    }

    @Test func `what throws, or does not end in time, is tried again`() async throws {
        let stage = Stage(["a"])
        let timeline = stage.timeline
        try await withServer(nowhere) { client, _ in
            let controller = stage.controller(client, deadline: .seconds(5)) { _ in
                if stage.journal.count.count == 1 { throw Broken() }
                try await timeline.sleep(until: .seconds(1000))
                return .settled
            }
            try await beside([{ try await controller.run() }]) {
                try await stage.journal.count.reaches(1)
                await timeline.someoneSleeps(until: .milliseconds(800)...(.milliseconds(1200)))
                timeline.advance(by: .seconds(2))
                try await stage.journal.count.reaches(2)
                await timeline.someoneSleeps(until: .seconds(7))
                timeline.advance(by: .seconds(5))
                await timeline.someoneSleeps(until: .milliseconds(8600)...(.milliseconds(9400)))
                timeline.advance(by: .seconds(3))
                try await stage.journal.count.reaches(3)
            }
        }
    }

    @Test func `an object that is gone is told once`() async throws {
        let stage = Stage(["a"])
        try await withServer(nowhere) { client, _ in
            let controller = stage.controller(client) { _ in .settled }
            try await beside([{ try await controller.run() }]) {
                try await stage.journal.count.reaches(1)
                _ = stage.store.remove(configMap("a"))
                controller.trigger(ObjectKey("shop", "a"))
                try await stage.journal.count.reaches(2)
                #expect(stage.journal.entries.last == "gone a")
            }
        }
    }

    @Test func `our finalizer is put on before the first look`() async throws {
        let stage = Stage(["a"])
        let scenario = Scenario([
            .init(
                "PATCH", "/api/v1/namespaces/shop/configmaps/a?fieldManager=tester",
                check: { $0.text.contains(#""value":null"#) && $0.text.contains(#""op":"add""#) ? nil : $0.text },
                .json(200, #"{"metadata":{"namespace":"shop","name":"a","finalizers":["us"],"resourceVersion":"2"}}"#))
        ])
        try await withServer({ scenario.answer($0) }) { client, _ in
            let controller = stage.controller(client, finalizer: Finalizer("us") { _ in .done }) { object in
                #expect(object.metadata.finalizers == ["us"])
                return .settled
            }
            try await beside([{ try await controller.run() }]) { try await stage.journal.count.reaches(1) }
            try scenario.finish()
        }
    }

    @Test func `an object that goes is cleaned up, not reconciled, and let go when that is done`() async throws {
        let stage = Stage([])
        var going = configMap("a", version: "1")
        going.metadata.finalizers = ["x", "us"]
        going.metadata.deletionTimestamp = Timestamp(seconds: 1)
        _ = stage.store.replace([going])
        let answered = Tally()
        try await withServer({ request in
            defer { answered.add() }
            return request.text.contains("/metadata/finalizers/1") ? .json(200, #"{"metadata":{"name":"a"}}"#) : refusal(422, "Invalid")
        }) { client, _ in
            let finalizer = Finalizer<ConfigMap>("us") { _ in
                stage.journal.note("clean up")
                return stage.journal.count.count == 1 ? .waiting(reason: "PodsLeft", retry: .seconds(2)) : .done
            }
            let controller = stage.controller(client, finalizer: finalizer) { _ in .settled }
            try await beside([{ try await controller.run() }]) {
                try await stage.journal.count.reaches(1)
                await stage.timeline.someoneSleeps(until: .seconds(2))
                stage.timeline.advance(by: .seconds(2))
                try await answered.reaches(1)
                #expect(stage.journal.entries == ["clean up", "clean up"])
            }
        }
    }

    @Test func `a look that is cut off by shutdown ends, and so does the controller`() async throws {
        let stage = Stage(["a"])
        try await withServer(nowhere) { client, _ in
            let controller = stage.controller(client) { _ in
                try await stage.timeline.sleep(until: .seconds(1000))
                return .settled
            }
            try await beside([{ try await controller.run() }]) { try await stage.journal.count.reaches(1) }
        }
    }
}

struct ReflectorTests {
    private func map(_ name: String, _ version: Int) -> String {
        #"{"metadata":{"namespace":"shop","name":"\#(name)","uid":"u-\#(name)","resourceVersion":"\#(version)"}}"#
    }

    @Test func `a store follows a watch, and listeners hear each change once`() async throws {
        let list = #"{"metadata":{"resourceVersion":"5"},"items":[\#(map("a", 1)),\#(map("b", 2))]}"#
        let lines = [
            #"{"type":"MODIFIED","object":\#(map("a", 1))}"#, #"{"type":"MODIFIED","object":\#(map("a", 6))}"#,
            #"{"type":"DELETED","object":\#(map("b", 7))}"#, #"{"type":"ADDED","object":\#(map("c", 8))}"#,
        ]
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { request in
            request.query.contains("watch=1") ? .chunked([.text(lines.joined(separator: "\n") + "\n"), .hang]) : .json(200, list)
        }
        try await withServer(answer) { client, _ in
            let store = Store<ConfigMap>()
            let journal = Journal<String>()
            let reflector = Reflector(
                client: client, namespaces: ["shop"], store: store, logger: quiet,
                listeners: [
                    { change in
                        switch change {
                        case .appeared(let object): journal.note("+\(object.metadata.name)")
                        case .changed(let old, let new): journal.note("\(old.metadata.resourceVersion)→\(new.metadata.resourceVersion)")
                        case .vanished(let object): journal.note("-\(object.metadata.name)")
                        }
                    }
                ])
            try await beside([{ try await reflector.run() }]) {
                try await store.waitUntilSynced(within: .seconds(10))
                try await journal.count.reaches(5)
                #expect(journal.entries == ["+a", "+b", "1→6", "-b", "+c"])
                #expect(store.keys.sorted() == [ObjectKey("shop", "a"), ObjectKey("shop", "c")])
            }
        }
    }
}
