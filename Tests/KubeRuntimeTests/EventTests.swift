// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import LoopbackTesting
import ServiceLifecycle
import Testing

@testable import KubeRuntime

struct EventLedgerTests {
    static let wall = Timestamp(microseconds: 1_700_000_000_123_456)
    static let pod = ObjectRef(kind: ConfigMap.kind, key: ObjectKey("shop", "a"), uid: "u")
    static func note(_ message: String = "image pushed", on object: ObjectRef = pod) -> EventNote {
        EventNote(involved: object, isWarning: false, reason: "Released", message: message)
    }

    var ledger = EventLedger(component: "tester", instance: "pod-1")

    @Test mutating func `the first time an event is written, then it is counted`() throws {
        guard case .create(let event) = ledger.step(for: Self.note(), now: .zero, wall: Self.wall) else { throw Unexpected() }
        #expect(event.metadata.namespace == "shop")
        #expect(event.metadata.name.hasPrefix("a."))
        #expect(event.involvedObject.uid == "u")
        #expect([event.type, event.reason, event.message, event.source.component] == ["Normal", "Released", "image pushed", "tester"])
        #expect(event.firstTimestamp == Self.wall.wholeSeconds)
        let again = ledger.step(for: Self.note(), now: .seconds(60), wall: Self.wall + .seconds(60))
        #expect(again == .recount(event.key, count: 2, last: Self.wall.wholeSeconds + .seconds(60)))
        let other = ledger.step(for: Self.note("another"), now: .seconds(60), wall: Self.wall)
        guard case .create(let second) = other else { throw Unexpected() }
        #expect(second.key != event.key)
    }

    @Test mutating func `what the server has forgotten by now is written anew`() throws {
        _ = ledger.step(for: Self.note(), now: .zero, wall: Self.wall)
        guard case .create = ledger.step(for: Self.note(), now: .seconds(3600), wall: Self.wall) else { throw Unexpected() }
        ledger.forget(Self.note())
        guard case .create = ledger.step(for: Self.note(), now: .seconds(3601), wall: Self.wall) else { throw Unexpected() }
    }

    @Test mutating func `one object cannot flood the cluster, and no other pays for it`() throws {
        let steps = (0..<40).map { ledger.step(for: Self.note("\($0)"), now: .zero, wall: Self.wall) }
        #expect(steps.count { $0 == .drop } == 15)
        let later = (0..<3).map { ledger.step(for: Self.note("later \($0)"), now: .seconds(300), wall: Self.wall) }
        #expect(later.count { $0 == .drop } == 2)
        let other = ObjectRef(kind: ConfigMap.kind, key: ObjectKey("", "b"))
        guard case .create(let event) = ledger.step(for: Self.note(on: other), now: .zero, wall: Self.wall) else { throw Unexpected() }
        #expect(event.metadata.namespace == "default")
    }

    @Test func `memory is bounded`() {
        var ledger = EventLedger(component: "t", instance: "i", capacity: 10)
        var created = 0
        for round in 0..<100 {
            let object = ObjectRef(kind: ConfigMap.kind, key: ObjectKey("shop", "o\(round)"))
            if case .create = ledger.step(for: Self.note(on: object), now: .seconds(round), wall: Self.wall) { created += 1 }
        }
        #expect(created == 100)
        #expect(ledger.remembered <= 10)
    }

    private struct Unexpected: Error {}
}

struct EventRecorderTests {
    @Test func `an event is created once and counted after, and what is left is written at shutdown`() async throws {
        let journal = Journal<String>()
        try await withServer({ request in
            journal.note("\(request.method) \(request.method == "PATCH" ? request.text : "")")
            return .json(request.method == "POST" ? 201 : 200, request.method == "POST" ? request.text : #"{"metadata":{"name":"x"}}"#)
        }) { client, _ in
            let recorder = EventRecorder(client: client, component: "tester", instance: "i", timeline: ManualTimeline(), logger: quiet)
            for _ in 0..<3 { recorder.record(on: EventLedgerTests.pod, .warning, reason: "Failed", message: "no") }
            let group = ServiceGroup(services: [recorder], logger: quiet)
            try await beside([{ try await group.run() }]) {
                try await journal.count.reaches(3)
                recorder.record(on: EventLedgerTests.pod, .warning, reason: "Failed", message: "no")
                await group.triggerGracefulShutdown()
                try await journal.count.reaches(4)
            }
            #expect(journal.entries.map { String($0.prefix(4)) } == ["POST", "PATC", "PATC", "PATC"])
            #expect(journal.entries[2].contains(#""count":3"#))
        }
    }

    @Test func `a full queue drops and counts, and never waits`() async throws {
        try await withServer({ _ in .silence }) { client, _ in
            let recorder = EventRecorder(client: client, component: "t", instance: "i", capacity: 5, logger: quiet)
            for round in 0..<8 { recorder.record(on: EventLedgerTests.pod, .normal, reason: "R", message: "\(round)") }
            #expect(recorder.dropped == 3)
        }
    }
}
