// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Logging

@testable import Wire

/// Says nothing.
let quiet = Logger(label: "wire-tests") { _ in SwiftLogNoOpLogHandler() }

/// A handler from a closure.
struct Answering: WireHandler {
    let answer: @Sendable (WireRequest) async -> WireResponse

    init(_ answer: @escaping @Sendable (WireRequest) async -> WireResponse) { self.answer = answer }

    func respond(to request: WireRequest) async -> WireResponse { await answer(request) }
}

/// Runs a server while `body` runs; afterwards everything is cut.
func serving<R: Sendable>(
    loops: Int = 1, limits: WireLimits = WireLimits(), answer: @escaping @Sendable (WireRequest) async -> WireResponse,
    _ body: (WireServer) async throws -> R
) async throws -> R {
    try await serving(loops: loops, limits: limits, handler: Answering(answer), body)
}

/// The same with a handler and an address.
func serving<R: Sendable>(
    at address: SocketAddress = SocketAddress("127.0.0.1", 0), loops: Int = 1, limits: WireLimits = WireLimits(),
    tls: TLSFiles? = nil, handler: any WireHandler, _ body: (WireServer) async throws -> R
) async throws -> R {
    let server = WireServer(at: address, loops: try WireLoops(count: loops), limits: limits, tls: tls, handler: handler, logger: quiet)
    try server.bind()
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let result = try await body(server)
        group.cancelAll()
        try await group.waitForAll()
        return result
    }
}

/// Whether all connections end within ten seconds, those that linger for a last word included.
func isEmpty(_ server: WireServer) async -> Bool {
    for _ in 0..<1000 {
        if server.statistics.connectionsOpen == 0 { return true }
        // Being cancelled ends the loop sooner, that is all.
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
