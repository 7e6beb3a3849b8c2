// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import LoopbackTesting
import ServiceLifecycle
import Testing

@testable import KubeRuntime

struct LeadershipTests {
    static let key = ObjectKey("shop", "leader")

    @Test func `a shutdown ends the work, then gives the lease back, and the next one leads`() async throws {
        let leases = LeaseServer()
        try await withServer(leases.answer) { client, _ in
            let (here, there) = (ManualTimeline(), ManualTimeline())
            let one = Leadership(client: client, lease: Self.key, identity: "one", stuckWork: .log, timeline: here, logger: quiet)
            let two = Leadership(client: client, lease: Self.key, identity: "two", stuckWork: .log, timeline: there, logger: quiet)
            let journal = Journal<String>()
            let work = Worker(leadership: one) {
                journal.note("begin")
                // Ends by cancellation only.
                try? await here.sleep(until: .seconds(1000))
                journal.note("end, held by \(leases.holder ?? "nobody")")
            }
            let group = ServiceGroup(services: [one, work], logger: quiet)
            try await beside([{ try await group.run() }]) {
                try await journal.count.reaches(1)
                #expect(one.isLeader)
                try await beside([{ try await two.run() }, { try await two.whileLeading { journal.note("two") } }]) {
                    await there.someoneSleeps(until: .seconds(2)...(.seconds(2.4)))
                    #expect(!two.isLeader)
                    await group.triggerGracefulShutdown()
                    try await journal.count.reaches(2)
                    #expect(journal.entries == ["begin", "end, held by one"])
                    try await leases.freed.reaches(1)
                    there.advance(by: .seconds(3))
                    try await journal.count.reaches(3)
                    #expect(leases.holder == "two")
                    #expect(leases.transitions == 1)
                }
            }
            #expect(!one.isLeader)
        }
    }

    @Test func `a leader that cannot renew stops before anybody else may lead, and leads again when it can`() async throws {
        let leases = LeaseServer()
        try await withServer(leases.answer) { client, _ in
            let timeline = ManualTimeline()
            let leadership = Leadership(client: client, lease: Self.key, identity: "us", stuckWork: .log, timeline: timeline, logger: quiet)
            let journal = Journal<Duration>()
            let work: @Sendable () async throws -> Void = {
                try await leadership.whileLeading {
                    journal.note(timeline.now)
                    try? await timeline.sleep(until: .seconds(1000))  // ends by cancellation only
                    journal.note(timeline.now)
                }
            }
            try await beside([{ try await leadership.run() }, work]) {
                try await journal.count.reaches(1)
                await timeline.someoneSleeps(until: .seconds(2))
                leases.goDown(true)
                timeline.advance(by: .milliseconds(9900))
                #expect(leadership.isLeader)
                #expect(journal.entries.count == 1)
                timeline.advance(by: .milliseconds(100))
                #expect(!leadership.isLeader)
                try await journal.count.reaches(2)
                #expect(journal.entries.last == .seconds(10))
                leases.goDown(false)
                for _ in 0..<10 where !leadership.isLeader {
                    timeline.advance(by: .seconds(3))
                    try await Task.sleep(for: .milliseconds(50))
                }
                try await journal.count.reaches(3)
                #expect(leases.transitions == 0)
            }
        }
    }

    @Test func `work that returns ends, and work that throws throws`() async throws {
        struct Broken: Error {}
        try await withServer(LeaseServer().answer) { client, _ in
            let leadership = Leadership(
                client: client, lease: Self.key, identity: "us", stuckWork: .log, timeline: ManualTimeline(), logger: quiet)
            try await beside([{ try await leadership.run() }]) {
                try await leadership.whileLeading {}
                await #expect(throws: Broken.self) { try await leadership.whileLeading { throw Broken() } }
            }
        }
    }

    private struct Worker: ServiceLifecycle.Service {
        let leadership: Leadership
        let body: @Sendable () async throws -> Void
        func run() async throws {
            do {
                try await cancelWhenGracefulShutdown { try await leadership.whileLeading(body) }
            } catch is CancellationError {}  // the shutdown; thrown on it would cancel the whole group
        }
    }
}
