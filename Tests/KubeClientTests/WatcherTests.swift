// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Logging
import LoopbackTesting
import Testing

@testable import KubeClient

struct WatcherTests {
    private let gone = #"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"# + "\n"

    private func listed(_ names: [String], version: Int) -> Scenario.Step {
        .init("GET", "\(maps)?limit=500", .json(list(names, version: version)))
    }

    private func watched(from version: Int, _ answer: LoopbackAnswer) -> Scenario.Step {
        .init("GET", "\(maps)?watch=1&allowWatchBookmarks=true&resourceVersion=\(version)&timeoutSeconds=300", answer)
    }

    private func event(_ type: String, _ name: String, version: Int) -> String {
        #"{"type":"\#(type)","object":\#(configMap(name, version: version))}"# + "\n"
    }

    /// What a watcher says until it has said so much; troubles by their description's end.
    private func hear(_ count: Int, _ scenario: Scenario, clock: SkippingClock = SkippingClock()) async throws -> [String] {
        var heard: [String] = []
        try await withCluster(scenario, clock: clock) { client in
            for await event in client.watch(as: ConfigMap.self, namespace: "shop") {
                switch event {
                case .replaced(let all): heard.append("replaced " + all.map(\.metadata.name).joined(separator: " "))
                case .changed(let map): heard.append("changed \(map.metadata.name) \(map.metadata.resourceVersion)")
                case .removed(let map): heard.append("removed \(map.metadata.name)")
                case .trouble(let error, _): heard.append("trouble \(error.refusal.map { "\($0.status.code)" } ?? "")")
                }
                if heard.count == count { break }
            }
        }
        return heard
    }

    @Test func `events come once and in order, bookmarks only move the version`() async throws {
        let bookmark = #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"20"}}}"# + "\n"
        let lines = event("ADDED", "b", version: 6) + event("MODIFIED", "a", version: 7) + event("DELETED", "b", version: 8) + bookmark
        let scenario = Scenario([
            listed(["a"], version: 5), watched(from: 5, .chunked([.text(lines)])),
            watched(from: 20, .chunked([.text(event("ADDED", "c", version: 21)), .hang])),
        ])
        let heard = try await hear(5, scenario)
        #expect(heard == ["replaced a", "changed b 6", "changed a 7", "removed b", "changed c 21"])
    }

    @Test(arguments: [1, 7, 64]) func `a watch survives any cut of its bytes`(size: Int) async throws {
        let bytes = Array((event("ADDED", "b", version: 6) + event("ADDED", "c", version: 7)).utf8)
        let pieces = stride(from: 0, to: bytes.count, by: size).map {
            LoopbackAnswer.Piece.bytes(Array(bytes[$0..<min($0 + size, bytes.count)]))
        }
        let scenario = Scenario([listed([], version: 5), watched(from: 5, .chunked(pieces + [.hang]))])
        #expect(try await hear(3, scenario) == ["replaced ", "changed b 6", "changed c 7"])
    }

    @Test(arguments: [LoopbackAnswer.Piece.cut, .end]) func `a watch cut within an object resumes at the last whole one`(
        cut: LoopbackAnswer.Piece
    ) async throws {
        let torn = event("MODIFIED", "a", version: 7)
        let scenario = Scenario([
            listed(["a"], version: 5),
            watched(from: 5, .chunked([.text(event("ADDED", "b", version: 6)), .text(String(torn.prefix(40))), cut])),
            watched(from: 6, .chunked([.text(torn), .hang])),
        ])
        // A reset may overtake what was sent just before it; then both events come with the second watch.
        let heard = try await hear(4, scenario)
        #expect(heard == ["replaced a", "changed b 6", "trouble ", "changed a 7"])
    }

    @Test func `a version that is gone leads to a list, in the stream and in the answer`() async throws {
        let scenario = Scenario([
            listed(["a"], version: 5), watched(from: 5, .chunked([.text(gone)])),
            listed(["b"], version: 50), watched(from: 50, .chunked([.text(event("ADDED", "c", version: 51)), .end])),
            watched(from: 51, status(410, "Expired")),
            listed(["d"], version: 80),
        ])
        let heard = try await hear(5, scenario)
        #expect(heard == ["replaced a", "replaced b", "changed c 51", "trouble ", "replaced d"])
    }

    @Test func `a server that cannot list is asked again, later each time`() async throws {
        let clock = SkippingClock()
        let down = Scenario.Step("GET", "\(maps)?limit=500", status(500, "InternalError"))
        let scenario = Scenario([down, down, down, listed(["a"], version: 5)])
        #expect(try await hear(4, scenario, clock: clock) == ["trouble 500", "trouble 500", "trouble 500", "replaced a"])
        #expect(clock.sleeps == [.milliseconds(250), .milliseconds(500), .seconds(1)])
    }

    @Test func `an object that cannot be read does not hide the others`() async throws {
        let odd = #"{"type":"ADDED","object":{"metadata":{"name":"odd","resourceVersion":"6"},"data":5}}"# + "\n"
        let scenario = Scenario([
            listed([], version: 5), watched(from: 5, .chunked([.text(odd), .text(event("ADDED", "b", version: 7)), .hang])),
        ])
        #expect(try await hear(3, scenario) == ["replaced ", "trouble ", "changed b 7"])
    }

    @Test func `a cancelled watcher ends, and its connection with it`() async throws {
        let scenario = Scenario([listed([], version: 5), watched(from: 5, .chunked([.hang]))])
        let server = try LoopbackServer(playing: scenario)
        let client = ClusterClient(ClusterConfig(server: server.url()), logger: .init(label: "test"), draw: { 0 })
        defer {
            client.shutdown()
            server.stop()
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in client.watch(as: ConfigMap.self, namespace: "shop") {}
            }
            try? await server.requests.reaches(2)
            group.cancelAll()
        }
        try await server.departures.reaches(1)
        try scenario.finish()
    }
}
