// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import KubeClient
import KubeCore
import Logging
import LoopbackTesting
import Synchronization
import Testing

/// A clock on which every sleep is over at once, and kept for the test to look at.
final class SkippingClock: Clock, Sendable {
    private let state = Mutex<(now: ContinuousClock.Instant, sleeps: [Duration])>((.now, []))

    var now: ContinuousClock.Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }
    var sleeps: [Duration] { state.withLock { $0.sleeps } }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.sleeps.append(deadline - state.now)
            state.now = deadline
        }
        await Task.yield()
    }
}

/// A client of a scripted API server, both gone after the test. Fails when the script was not played to its end.
func withCluster(
    credentials: Credentials = .none, _ scenario: Scenario, clock: SkippingClock = SkippingClock(),
    _ body: (ClusterClient) async throws -> Void
) async throws {
    let server = try LoopbackServer(playing: scenario)
    let client = ClusterClient(
        ClusterConfig(server: server.url(), credentials: credentials), fieldManager: "tester", logger: Logger(label: "test"), clock: clock,
        draw: { 0 })
    defer {
        client.shutdown()
        server.stop()
    }
    try await body(client)
    try scenario.finish()
}

/// A file that is there for the time of a test.
final class TemporaryFile: Sendable {
    let path: String

    init(_ text: String, mode: mode_t = 0o600) {
        var name = Array("/tmp/kube-client-XXXXXX".utf8CString)
        close(mkstemp(&name))
        path = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        chmod(path, mode)
        write(text)
    }

    deinit { unlink(path) }

    func write(_ text: String) {
        let file = open(path, O_WRONLY | O_TRUNC)
        let bytes = Array(text.utf8)
        precondition(Glibc.write(file, bytes, bytes.count) == bytes.count)
        close(file)
    }
}

/// The error that the body throws.
func failure(_ body: () async throws -> Void) async -> KubeError? {
    do {
        try await body()
        Issue.record("wanted an error, found none")
        return nil
    } catch {
        return error as? KubeError
    }
}

func configMap(_ name: String, version: Int = 1) -> String {
    #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"shop","name":"\#(name)","uid":"u-\#(name)","resourceVersion":"\#(version)"}}"#
}

func list(_ names: [String], version: Int, next: String = "") -> String {
    let items = names.map { configMap($0) }.joined(separator: ",")
    return #"{"kind":"ConfigMapList","metadata":{"resourceVersion":"\#(version)","continue":"\#(next)"},"items":[\#(items)]}"#
}

func status(_ code: Int, _ reason: String, _ message: String = "no") -> LoopbackAnswer {
    .json(code, #"{"kind":"Status","status":"Failure","reason":"\#(reason)","message":"\#(message)","code":\#(code)}"#)
}

let maps = "/api/v1/namespaces/shop/configmaps"
