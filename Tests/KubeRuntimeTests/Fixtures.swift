// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeClient
import KubeCore
import Logging
import LoopbackTesting
import Synchronization
import Testing

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A client of a scripted server, both gone after the test.
func withServer(
    _ answer: @escaping @Sendable (LoopbackRequest) -> LoopbackAnswer, _ body: (ClusterClient, LoopbackServer) async throws -> Void
) async throws {
    let server = try LoopbackServer(answer)
    let client = ClusterClient(ClusterConfig(server: server.url()), fieldManager: "tester", logger: quiet)
    defer {
        client.shutdown()
        server.stop()
    }
    try await body(client, server)
}

/// Runs services beside the body, and cancels them when it ends.
func beside(_ services: [@Sendable () async throws -> Void], _ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for service in services { group.addTask { try await service() } }
        defer { group.cancelAll() }
        try await body()
    }
}

func refusal(_ code: Int, _ reason: String) -> LoopbackAnswer {
    .json(code, #"{"kind":"Status","status":"Failure","reason":"\#(reason)","message":"no","code":\#(code)}"#)
}

/// An API server that knows one lease.
final class LeaseServer: Sendable {
    private struct State {
        var lease: Lease?
        var version = 0
        var isDown = false
    }

    private let state = Mutex(State())
    /// How often it was given back.
    let freed = Tally()

    var holder: String? { state.withLock { $0.lease?.spec.holderIdentity } }
    var transitions: Int? { state.withLock { $0.lease?.spec.leaseTransitions } }
    func goDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    func answer(_ request: LoopbackRequest) -> LoopbackAnswer {
        state.withLock { state in
            if state.isDown { return refusal(500, "InternalError") }
            switch request.method {
            case "GET": return state.lease.map { .json(200, String(decoding: $0.json(), as: UTF8.self)) } ?? refusal(404, "NotFound")
            case "POST" where state.lease != nil: return refusal(409, "AlreadyExists")
            case "POST", "PUT":
                guard var lease = try? Lease.decode(json: request.body) else { return refusal(400, "BadRequest") }
                guard lease.metadata.resourceVersion == state.lease?.metadata.resourceVersion ?? "" else { return refusal(409, "Conflict") }
                state.version += 1
                lease.metadata.resourceVersion = "\(state.version)"
                state.lease = lease
                if lease.spec.holderIdentity == nil { freed.add() }
                return .json(200, String(decoding: lease.json(), as: UTF8.self))
            default: return refusal(405, "MethodNotAllowed")
            }
        }
    }
}

/// What happened, in order; a test can wait for it.
final class Journal<Entry: Sendable>: Sendable {
    private let kept = Mutex<[Entry]>([])
    let count = Tally()

    var entries: [Entry] { kept.withLock { $0 } }

    func note(_ entry: Entry) {
        kept.withLock { $0.append(entry) }
        count.add()
    }
}
