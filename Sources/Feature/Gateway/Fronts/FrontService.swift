// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging
import ServiceLifecycle
package import Telemetry
package import Wire

/// Runs the servers that callers talk to, and takes them down so that no request is lost.
///
/// On a graceful shutdown: 1. not ready any more; 2. wait, serving, until the endpoints of our Service have told everybody;
/// 3. stop accepting and let what is in flight finish; 4. cut the rest at the deadline.
package struct FrontService: Service {
    private let servers: [WireServer]
    private let health: Health
    private let delay: Duration
    private let limit: Duration
    private let logger: Logger

    package init(_ servers: [WireServer], health: Health, drainDelay: Duration, drainTimeout: Duration, logger: Logger) {
        self.servers = servers
        self.health = health
        delay = drainDelay
        limit = drainTimeout
        self.logger = logger
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for server in servers {
                group.addTask {
                    try await server.run()
                    return true
                }
            }
            group.addTask {
                await self.drainWhenAsked()
                return false
            }
            var running = servers.count
            while running > 0, let isServer = try await group.next() { if isServer { running -= 1 } }
            group.cancelAll()
        }
    }

    private func drainWhenAsked() async {
        do { try await gracefulShutdown() } catch { return }
        health.drain()
        logger.info("draining", metadata: ["delay": "\(delay)", "limit": "\(limit)"])
        // Being cancelled here means that there is no more time to wait.
        try? await Task.sleep(for: delay)
        for server in servers { server.beginDrain(within: limit) }
    }
}

/// Serves one port for as long as everything else runs, and is cut when it is told to go.
package struct AdminService: Service {
    private let server: WireServer

    package init(_ server: WireServer) { self.server = server }

    package func run() async throws {
        // Probes are short and nobody depends on the last one, so there is nothing to drain.
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            server.beginDrain(within: .milliseconds(100))
        }
    }
}
