// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeClient
package import KubeCore
package import Logging
internal import ServiceLifecycle
internal import Synchronization

internal import protocol ServiceLifecycle.Service

/// Workers that take keys from a queue, read their objects from a store and reconcile them, while leading.
///
/// A reconciler never learns what woke it. No object is reconciled twice at once; each look has a deadline; the
/// verdict says when to come back. Losing leadership cancels every look.
package final class Controller<Object: KubeResource>: Service {
    private let name: String
    private let store: Store<Object>
    private let queue: WorkQueue<ObjectKey>
    private let sources: [any Synced]
    private let finalizer: Finalizer<Object>?
    private let client: ClusterClient
    private let gate: Leadership?
    private let settings: ControllerSettings
    private let timeline: any Timeline
    private let logger: Logger
    private let reconcile: @Sendable (Object) async throws -> Verdict
    private let onGone: (@Sendable (ObjectKey) async throws -> Void)?
    private let schedule: Mutex<Schedule<ObjectKey>>
    private let metrics: ControllerMetrics

    /// - Parameters:
    ///   - waitsFor: further stores that must be filled before the first look.
    ///   - gate: nil works without an election.
    ///   - onGone: called with the key of an object that is in the store no more; retried until it succeeds.
    package init(
        name: String, store: Store<Object>, queue: WorkQueue<ObjectKey>, settings: ControllerSettings = ControllerSettings(),
        waitsFor: [any Synced] = [], finalizer: Finalizer<Object>? = nil, client: ClusterClient, gate: Leadership?,
        timeline: any Timeline = SystemTimeline(), logger: Logger,
        reconcile: @escaping @Sendable (Object) async throws -> Verdict,
        onGone: (@Sendable (ObjectKey) async throws -> Void)? = nil
    ) {
        self.name = name
        self.store = store
        self.queue = queue
        self.settings = settings
        sources = waitsFor + [store]
        self.finalizer = finalizer
        self.client = client
        self.gate = gate
        self.timeline = timeline
        self.logger = logger
        self.reconcile = reconcile
        self.onGone = onGone
        var schedule = Schedule<ObjectKey>()
        schedule.backoff = settings.backoff
        schedule.resync = settings.resync
        self.schedule = Mutex(schedule)
        metrics = ControllerMetrics(controller: name)
    }

    /// Asks for a look at an object, now.
    package func trigger(_ key: ObjectKey) { queue.add(key) }

    /// Works until shut down: a look that runs then is cancelled, and what it left undone is done after the next start.
    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                if let gate = self.gate {
                    try await gate.whileLeading { try await self.work() }
                } else {
                    try await self.work()
                }
            }
        } catch is CancellationError {
            logger.debug("controller stopped", metadata: ["controller": "\(name)"])
        }
    }

    /// Fills the queue with every object there is, and serves it until cancelled.
    private func work() async throws {
        for source in sources { try await wait(for: source) }
        addAll()
        await withDiscardingTaskGroup { group in
            for _ in 0..<settings.workers { group.addTask { await self.serve() } }
        }
        try Task.checkCancellation()
    }

    /// A list that does not come is no reason to give up, only to say so.
    private func wait(for source: any Synced) async throws {
        while !source.hasSynced {
            do {
                try await source.waitUntilSynced(within: .seconds(30))
            } catch is DeadlineExceeded {
                logger.warning("still waiting for a first list", metadata: ["controller": "\(name)", "source": "\(type(of: source))"])
            }
        }
    }

    private func addAll() {
        for key in store.keys { queue.add(key) }
    }

    private func serve() async {
        while let key = await queue.next() {
            let start = timeline.now
            let look = await look(at: key)
            let delay = delay(for: key, after: look)
            let took = timeline.now - start
            queue.finish(key, again: delay)
            metrics.count(look.name, took: took, depth: queue.depth, dropped: queue.dropped)
            logger.debug("looked", metadata: ["controller": "\(name)", "object": "\(key)", "verdict": "\(look.name)", "took": "\(took)"])
            // What found no room in the queue is found again in the store.
            if queue.takeOverflow() { addAll() }
        }
    }

    /// What came of one look.
    private enum Look {
        case verdict(Verdict)
        case gone
        /// Cut off by shutdown or the loss of leadership.
        case interrupted

        var name: String {
            switch self {
            case .verdict(let verdict): verdict.name
            case .gone: "gone"
            case .interrupted: "interrupted"
            }
        }
    }

    private func look(at key: ObjectKey) async -> Look {
        do {
            return try await timeline.within(settings.deadline) { try await self.settle(key) }
        } catch  where Task.isCancelled {
            return .interrupted
        } catch {
            let failures = schedule.withLock { $0.failures(of: key) } + 1
            logger.warning(
                "look failed, will retry",
                metadata: ["controller": "\(name)", "object": "\(key)", "failures": "\(failures)", "error": "\(error)"])
            return .verdict(.failing(message: "\(error)"))
        }
    }

    private func delay(for key: ObjectKey, after look: Look) -> Duration? {
        switch look {
        case .verdict(let verdict):
            return schedule.withLock { $0.delay(for: key, after: verdict, draw: .random(in: 0..<1)) }
        case .gone:
            schedule.withLock { $0.forget(key) }
            return nil
        case .interrupted: return .zero
        }
    }

    /// The four cases of an object's life: add, live, clean up, gone.
    private func settle(_ key: ObjectKey) async throws -> Look {
        guard let object = store.get(key) else {
            try await onGone?(key)
            return .gone
        }
        guard let finalizer else {
            return object.isBeingDeleted ? .gone : .verdict(try await reconcile(object))
        }
        switch FinalizerStep(for: object.metadata, name: finalizer.name) {
        case .live: return .verdict(try await reconcile(object))
        case .gone: return .gone
        case .add(let patch):
            guard let held = try await self.patch(key, patch) else { return Self.overtaken }
            return .verdict(try await reconcile(held))
        case .cleanUp(let patch):
            if case .waiting(let reason, let retry) = try await finalizer.cleanUp(object) {
                return .verdict(.waiting(reason: reason, retry: retry))
            }
            return try await self.patch(key, patch) == nil ? Self.overtaken : .gone
        }
    }

    /// The finalizers are not what the store said; it will say so soon.
    private static var overtaken: Look { .verdict(.waiting(reason: "FinalizersChanged", retry: .seconds(1))) }

    /// Nil if the object is not, or is no longer, as the patch tests.
    private func patch(_ key: ObjectKey, _ steps: [JSONPatchStep]) async throws -> Object? {
        do {
            return try await client.jsonPatch(Object.self, key, steps)
        } catch KubeError.invalid, KubeError.conflict, KubeError.notFound {
            return nil
        }
    }
}
