// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
package import KubeClient
import KubeCore
import KubeRuntime
package import Logging
import ServiceLifecycle

import protocol ServiceLifecycle.Service

/// Follows Applications, Servables and EndpointSlices, read-only, and tells the feed.
package struct RoutingWatch: Service {
    private let client: ClusterClient
    private let namespaces: [String]
    private let feed: RoutingFeed
    private let logger: Logger
    private let applications = Store<Application>()
    private let servables = Store<Servable>()
    private let slices = Store<EndpointSlice>()

    /// No namespaces means all.
    package init(client: ClusterClient, namespaces: [String], feed: RoutingFeed, logger: Logger) {
        self.client = client
        self.namespaces = namespaces
        self.feed = feed
        self.logger = logger
        // Until the first list of each, nothing is known about anything.
        applications.expect(namespaces)
        servables.expect(namespaces)
        slices.expect(namespaces)
    }

    /// What has not been listed yet: with it, a name would be unknown that exists.
    package var missing: [String] {
        [("applications", applications.hasSynced), ("servables", servables.hasSynced), ("endpoint slices", slices.hasSynced)]
            .filter { !$0.1 }.map(\.0)
    }

    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.follow() }
        } catch is CancellationError {
            logger.debug("routing watch stopped")
        }
    }

    private func follow() async throws {
        let sliceKind = try await servedSliceKind()
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.reflector(of: Application.kind, into: self.applications) { self.feed.take($0) }.run() }
            group.addTask { try await self.reflector(of: Servable.kind, into: self.servables) { self.feed.take($0) }.run() }
            group.addTask { try await self.reflector(of: sliceKind, into: self.slices) { self.feed.take($0) }.run() }
        }
    }

    private func reflector<Object: KubeResource>(
        of kind: ResourceKind, into store: Store<Object>, tell: @escaping @Sendable (StoreChange<Object>) -> Void
    ) -> Reflector<Object> {
        Reflector(client: client, kind: kind, namespaces: namespaces, store: store, logger: logger, listeners: [tell])
    }

    /// The version of EndpointSlices that the server has: v1 from 1.21 on. Asks until the server answers.
    private func servedSliceKind() async throws -> ResourceKind {
        let candidates = [EndpointSlice.kind, EndpointSlice.kind.at(version: "v1beta1")]
        var pause = Duration.milliseconds(500)
        while true {
            do throws(KubeError) {
                if let kind = try await client.preferred(candidates) { return kind }
                logger.error("the API server serves no EndpointSlices, will ask again", metadata: ["retry": "\(pause)"])
            } catch {
                try Task.checkCancellation()
                logger.warning(
                    "cannot ask the API server what it serves, will retry", metadata: ["error": "\(error)", "retry": "\(pause)"])
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(15))
        }
    }
}

extension RoutingFeed {
    func take(_ change: StoreChange<Application>) {
        switch change {
        case .vanished(let old): tell(nil as Application?, at: old.key)
        default: tell(change.object, at: change.object.key)
        }
    }

    func take(_ change: StoreChange<Servable>) {
        switch change {
        case .vanished(let old): tell(nil as Servable?, at: old.key)
        default: tell(change.object, at: change.object.key)
        }
    }

    func take(_ change: StoreChange<EndpointSlice>) {
        switch change {
        case .vanished(let old): forget(old)
        default: tell(change.object)
        }
    }
}
