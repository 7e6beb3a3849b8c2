// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging
import Metrics
import OCI
import Synchronization
package import Transport

/// Makes images of models without a build daemon: runtime's layers plus one of the model's own, against the registry's HTTP API.
///
/// Builds run inside `run`, a few at once, and end with it. What was under way when the program ended is started again by whoever ordered
/// it: everything that a build does may be done twice.
package final class ImageComposer: ImageComposing {
    /// The keys of builds whose progress changed. For one reader; one that falls behind by thousands loses the oldest.
    package let changes: AsyncStream<String>

    private let settings: ComposerSettings
    private let fetcher: SourceFetcher
    private let client: RegistryClient
    private let logger: Logger
    private let queue: Mutex<BuildQueue>
    private let stops = Mutex<[BuildQueue.Ticket: AsyncStream<Void>.Continuation]>([:])
    private let resolved = Mutex<[String: (image: RuntimeImage, until: ContinuousClock.Instant)]>([:])
    private let changed: AsyncStream<String>.Continuation
    /// Wakes `run`, where it runs.
    private let waker = Mutex<AsyncStream<Void>.Continuation?>(nil)
    private let waitingGauge = Gauge(label: "hydro_composer_builds_waiting")

    /// How long a runtime's resolution is good for.
    private static let resolutionLifetime = Duration.seconds(60)
    private static let resolutionLimit = 1000

    package init(_ settings: ComposerSettings, transport: CurlTransport, logger: Logger) {
        self.settings = settings
        self.logger = logger
        fetcher = SourceFetcher(transport: transport, settings: settings)
        client = RegistryClient(transport: transport, settings: settings.registry, keychain: settings.keychain)
        queue = Mutex(BuildQueue(concurrency: settings.concurrency, limit: settings.queueLimit))
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4096))
    }

    /// Runs the builds that are ordered, until the task is cancelled; builds under way are cancelled with it.
    package func run() async {
        let (wake, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        waker.withLock { $0 = continuation }
        await withDiscardingTaskGroup { group in
            // What was ordered before.
            continuation.yield()
            for await _ in wake {
                while let (order, ticket) = queue.withLock({ $0.take() }) {
                    tell(order.key)
                    group.addTask { await self.build(order, ticket) }
                }
            }
            group.cancelAll()
        }
    }

    package func resolveRuntime(image: String) async throws -> RuntimeImage {
        let now = settings.registry.clock.now()
        if let known = resolved.withLock({ $0[image] }), known.until > now { return known.image }
        do {
            let reference = try ImageReference(parsing: image)
            let digest = try await client.resolve(reference).digest
            let found = RuntimeImage(reference: ImageReference(reference.repository, digest: digest))
            resolved.withLock { resolved in
                if resolved.count >= Self.resolutionLimit { resolved = resolved.filter { $0.value.until > now } }
                if resolved.count >= Self.resolutionLimit { resolved = [:] }
                resolved[image] = (found, now + Self.resolutionLifetime)
            }
            return found
        } catch {
            throw ComposerError(any: error, on: .runtime)
        }
    }

    package func resolveSource(_ spec: SourceSpec) async throws -> ResolvedSource {
        ResolvedSource(digest: try await fetcher.digest(of: spec))
    }

    package func start(_ order: BuildOrder) {
        guard queue.withLock({ $0.add(order) }) else { return }
        wakeUp()
        tell(order.key)
    }

    package func progress(of key: String) -> BuildProgress? {
        queue.withLock { $0.progress(of: key) }
    }

    package func cancel(_ key: String) {
        guard let ticket = queue.withLock({ $0.cancel(key) }) else { return }
        stops.withLock { $0[ticket] }?.finish()
    }

    package func deleteImage(repository: String, digest: String) async throws {
        do {
            let place = try ImageReference(parsing: repository).repository
            let found = try await client.deleteManifest(try Digest(parsing: digest), in: place)
            logger.debug("image deleted", metadata: ["repository": "\(repository)", "digest": "\(digest)", "found": "\(found)"])
        } catch {
            throw ComposerError(any: error, on: .target)
        }
    }

    private func wakeUp() {
        _ = waker.withLock { $0?.yield() }
    }

    private func tell(_ key: String) {
        if case .dropped = changed.yield(key) { Counter(label: "hydro_composer_changes_dropped_total").increment() }
        waitingGauge.record(queue.withLock { $0.waitingCount })
    }
}

// One build.
extension ImageComposer {
    /// Runs a build until it ends, is stopped, or has had its time.
    private func build(_ order: BuildOrder, _ ticket: BuildQueue.Ticket) async {
        let (stop, stopper) = AsyncStream<Void>.makeStream()
        stops.withLock { $0[ticket] = stopper }
        // A cancellation that came before the stop was in place.
        if !queue.withLock({ $0.wants(ticket) }) { stopper.finish() }
        let begun = settings.registry.clock.now()
        let result = await race(order, ticket, stop)
        _ = stops.withLock { $0.removeValue(forKey: ticket) }
        let isWanted = queue.withLock { $0.finish(ticket, result) }
        wakeUp()
        record(order, result, isWanted: isWanted, seconds: (settings.registry.clock.now() - begun).inSeconds)
        if isWanted { tell(order.key) }
    }

    private func race(
        _ order: BuildOrder, _ ticket: BuildQueue.Ticket, _ stop: AsyncStream<Void>
    ) async -> Result<BuiltImage, ComposerError> {
        let build = ImageBuild(order: order, fetcher: fetcher, client: client, clock: settings.registry.clock) { [self] line in
            if queue.withLock({ $0.note(line, of: ticket) }) { tell(order.key) }
        }
        let deadline = settings.buildDeadline
        return await withTaskGroup(of: Result<BuiltImage, ComposerError>.self) { group in
            group.addTask {
                do throws(ComposerError) { return .success(try await build.run()) } catch { return .failure(error) }
            }
            group.addTask {
                for await _ in stop {}
                return .failure(ComposerError(.interrupted, "cancelled"))
            }
            group.addTask {
                // Cancelled when the build has ended: then nobody reads what this says.
                try? await Task.sleep(for: deadline)
                return .failure(ComposerError(.interrupted, "the build took longer than \(deadline)"))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(ComposerError(.interrupted, "cancelled"))
        }
    }

    private func record(_ order: BuildOrder, _ result: Result<BuiltImage, ComposerError>, isWanted: Bool, seconds: Double) {
        let outcome: String
        switch result {
        case .success(let image):
            outcome = "Finished"
            logger.info(
                "image pushed", metadata: ["build": "\(order.key)", "repository": "\(image.repository)", "digest": "\(image.digest)"])
        case .failure where !isWanted: outcome = "Cancelled"
        case .failure(let error):
            outcome = error.reason.rawValue
            logger.warning("build failed", metadata: ["build": "\(order.key)", "reason": "\(outcome)", "error": "\(error.message)"])
        }
        Counter(label: "hydro_composer_builds_total", dimensions: [("outcome", outcome)]).increment()
        Metrics.Timer(label: "hydro_composer_build_seconds", dimensions: [("outcome", outcome)]).recordSeconds(seconds)
    }
}
