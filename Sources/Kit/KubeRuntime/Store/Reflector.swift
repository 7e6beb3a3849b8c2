// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeClient
package import KubeCore
package import Logging
internal import Metrics
internal import ServiceLifecycle

internal import protocol ServiceLifecycle.Service

/// Keeps a store like the cluster: lists, watches, and tells listeners every change, in order for each object.
package final class Reflector<Object: KubeResource>: Service {
    private let client: ClusterClient
    private let kind: ResourceKind
    private let namespaces: [String]
    private let options: ListOptions
    private let store: Store<Object>
    private let logger: Logger
    private let listeners: [@Sendable (StoreChange<Object>) -> Void]
    private let objects: Meter
    private let changes: Counter
    private let troubles: Counter

    /// - Parameters:
    ///   - kind: which version to ask for, where the server may serve another than the type's own.
    ///   - namespaces: none means all.
    ///   - listeners: called one after the other once the store has the change; they must be quick.
    package init(
        client: ClusterClient, type: Object.Type = Object.self, kind: ResourceKind = Object.kind, namespaces: [String] = [],
        options: ListOptions = ListOptions(), store: Store<Object>, logger: Logger,
        listeners: [@Sendable (StoreChange<Object>) -> Void] = []
    ) {
        self.client = client
        self.kind = kind
        self.namespaces = namespaces.isEmpty ? [""] : namespaces
        self.options = options
        self.store = store
        self.logger = logger
        self.listeners = listeners
        objects = Meter(label: "hydro_kuberuntime_store_objects", dimensions: [("kind", kind.kind)])
        changes = Counter(label: "hydro_kuberuntime_store_changes_total", dimensions: [("kind", kind.kind)])
        troubles = Counter(label: "hydro_kuberuntime_watch_troubles_total", dimensions: [("kind", kind.kind)])
        store.expect(self.namespaces)
    }

    /// Follows the cluster until shut down.
    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await withThrowingDiscardingTaskGroup { group in
                    for namespace in self.namespaces { group.addTask { try await self.follow(namespace) } }
                }
            }
        } catch is CancellationError {
            logger.debug("reflector stopped", metadata: ["kind": "\(kind)"])
        }
    }

    private func follow(_ namespace: String) async throws {
        let scope = namespace.isEmpty ? nil : namespace
        for try await event in client.watch(kind, as: Object.self, namespace: scope, options) {
            take(event, of: namespace)
        }
        // A feed that ends by itself would leave the store to grow stale unseen.
        try Task.checkCancellation()
        throw FeedEnded(kind: kind)
    }

    private func take(_ event: WatcherEvent<Object>, of namespace: String) {
        switch event {
        case .replaced(let list):
            logger.debug("listed", metadata: ["kind": "\(kind)", "objects": "\(list.count)"])
            for change in store.replace(list, in: namespace) { tell(change) }
        case .changed(let object): if let change = store.put(object) { tell(change) }
        case .removed(let object): if let change = store.remove(object) { tell(change) }
        case .trouble(let error, let retry):
            troubles.increment()
            logger.warning("watch broken, will retry", metadata: ["kind": "\(kind)", "error": "\(error)", "retry": "\(retry)"])
        }
        objects.set(store.count)
    }

    private func tell(_ change: StoreChange<Object>) {
        changes.increment()
        for listener in listeners { listener(change) }
    }
}

/// A watch ended though nobody asked it to.
package struct FeedEnded: Error, Equatable, CustomStringConvertible {
    package var kind: ResourceKind
    package var description: String { "wanted an endless feed of \(kind), found its end" }
}
