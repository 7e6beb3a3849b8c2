// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Composer
import HydroAPI
package import KubeClient
package import KubeCore
package import KubeRuntime
package import Logging
package import ServiceLifecycle

/// All controllers of the operator, with the stores they read and the reflectors that fill them.
package struct ControllerSet: Sendable {
    package let stores: Stores
    package let settings: OperatorSettings
    let client: ClusterClient
    let composer: any ImageComposing
    let leadership: Leadership?
    let features: ServerFeatures
    let operatorKey: ObjectKey
    let logger: Logger
    let reporter: Reporter
    let events: EventRecorder
    let queues = Queues()
    let kafka = KafkaFindings()

    struct Queues: Sendable {
        let models = WorkQueue<ObjectKey>()
        let versions = WorkQueue<ObjectKey>()
        let runtimes = WorkQueue<ObjectKey>()
        let servables = WorkQueue<ObjectKey>()
        let applications = WorkQueue<ObjectKey>()
        let gateway = WorkQueue<ObjectKey>()
    }

    /// - Parameters:
    ///   - leadership: nil works without an election, for one replica.
    ///   - operatorKey: the operator's own Deployment.
    package init(
        client: ClusterClient, composer: any ImageComposing, leadership: Leadership?, events: EventRecorder, settings: OperatorSettings,
        features: ServerFeatures, operatorKey: ObjectKey, logger: Logger
    ) {
        stores = Stores()
        self.client = client
        self.composer = composer
        self.leadership = leadership
        self.events = events
        self.settings = settings
        self.features = features
        self.operatorKey = operatorKey
        self.logger = logger
        let timeline = SystemTimeline()
        reporter = Reporter(client: client, events: events) { timeline.wall }
    }

    /// Whether every store had its first list.
    package var hasSynced: Bool { synced.allSatisfy(\.hasSynced) }

    /// What to run: reflectors first, since the controllers lean on them.
    package var services: [any ServiceLifecycle.Service] {
        reflectors + [
            models, versions, runtimes, servables, applications, gateway, survey,
            BuildFeed(changes: composer.changes, queue: queues.versions),
        ]
    }

    private var synced: [any Synced] {
        [
            stores.models, stores.versions, stores.runtimes, stores.servables, stores.applications, stores.configurations,
            stores.configMaps, stores.deployments, stores.services, stores.pods,
        ] + (features.autoscaler == nil ? [] : [stores.autoscalers]) + (features.disruptionBudget == nil ? [] : [stores.budgets])
    }
}

extension ControllerSet {
    private var models: Controller<Model> {
        let reconciler = ModelReconciler(stores: stores, client: client, composer: composer, reporter: reporter, settings: settings)
        return controller("model", stores.models, queues.models) { try await reconciler.reconcile($0) }
    }

    private var versions: Controller<ModelVersion> {
        let reconciler = VersionReconciler(
            stores: stores, client: client, composer: composer, reporter: reporter, events: events, settings: settings)
        return controller(
            "modelversion", stores.versions, queues.versions,
            finalizer: Finalizer(Labels.imageFinalizer) { try await reconciler.cleanUp($0) },
            onGone: { composer.cancel($0.description) }
        ) { try await reconciler.reconcile($0) }
    }

    private var runtimes: Controller<Runtime> {
        let reconciler = RuntimeReconciler(composer: composer, reporter: reporter, settings: settings)
        return controller("runtime", stores.runtimes, queues.runtimes) { try await reconciler.reconcile($0) }
    }

    private var servables: Controller<Servable> {
        let reconciler = ServableReconciler(stores: stores, client: client, reporter: reporter, settings: settings, features: features)
        return controller("servable", stores.servables, queues.servables) { try await reconciler.reconcile($0) }
    }

    private var applications: Controller<Application> {
        let reconciler = ApplicationReconciler(
            stores: stores, client: client, reporter: reporter, settings: settings, kafka: kafka)
        return controller("application", stores.applications, queues.applications, onGone: { reconciler.forget($0) }) {
            try await reconciler.reconcile($0)
        }
    }

    private var survey: KafkaSurvey {
        KafkaSurvey(
            stores: stores, client: client, settings: settings, findings: kafka, queue: queues.applications, gate: leadership,
            logger: logger)
    }

    /// Follows the gateway's Deployment; what it leans on is looked at each minute.
    private var gateway: GatewayLoop {
        let keeper = GatewayKeeper(stores: stores, client: client, settings: settings, features: features, operatorKey: operatorKey)
        return GatewayLoop(keeper: keeper, queue: queues.gateway, gate: leadership, sources: synced, logger: logger)
    }

    private func controller<Object: KubeResource>(
        _ name: String, _ store: Store<Object>, _ queue: WorkQueue<ObjectKey>, finalizer: Finalizer<Object>? = nil,
        onGone: (@Sendable (ObjectKey) async throws -> Void)? = nil, reconcile: @escaping @Sendable (Object) async throws -> Verdict
    ) -> Controller<Object> {
        Controller(
            name: name, store: store, queue: queue, waitsFor: synced, finalizer: finalizer, client: client, gate: leadership,
            logger: logger, reconcile: reconcile, onGone: onGone)
    }
}
