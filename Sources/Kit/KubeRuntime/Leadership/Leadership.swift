// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
package import KubeClient
package import KubeCore
package import Logging
internal import Metrics
internal import ServiceLifecycle
internal import Synchronization

internal import protocol ServiceLifecycle.Service

/// One of several programs leads: an election over a Lease, and the work that only a leader does.
///
/// Guarantees that work given to `whileLeading` is cancelled before anybody else can lead. What does not end by then is
/// dealt with as `StuckWork` says. On a graceful shutdown the lease is given back at once; list this service *before*
/// those that work under it, so that they stop first.
package final class Leadership: Service {
    /// What happens to work that goes on after it was cancelled, when somebody else may already lead.
    package enum StuckWork: Sendable {
        /// Ends the process: the only way to be sure.
        case exit
        /// Says so. For tests, and for work that does no harm twice.
        case log
    }

    private let client: ClusterClient
    private let timeline: any Timeline
    private let logger: Logger
    private let stuckWork: StuckWork
    private let timing: LeadershipTiming
    private let key: ObjectKey
    private let state: Mutex<LeadershipState>
    private let bell = Bell()
    private let gauge: Meter
    /// What was logged last.
    private let wasLeading = Mutex(false)

    /// - Parameter identity: different for every process, also after a restart in the same pod.
    package init(
        client: ClusterClient, lease: ObjectKey, identity: String, timing: LeadershipTiming = LeadershipTiming(),
        stuckWork: StuckWork = .exit, timeline: any Timeline = SystemTimeline(), logger: Logger
    ) {
        self.client = client
        self.timeline = timeline
        self.logger = logger
        self.stuckWork = stuckWork
        self.timing = timing
        key = lease
        state = Mutex(LeadershipState(key: lease, identity: identity, timing: timing))
        gauge = Meter(label: "hydro_kuberuntime_leader", dimensions: [("lease", lease.name)])
        gauge.set(0)
    }

    /// Whether we lead at this very moment, by the clock.
    package var isLeader: Bool { leadsUntil != nil }

    /// Who leads as far as we know.
    package var holder: String? { state.withLock { $0.holder } }

    /// Takes part in the election until shut down, then gives the lease back. A task that is cancelled instead lets it
    /// run out: then nobody can say whether the work under it has ended.
    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.contend() }
        } catch is CancellationError {
            logger.debug("election left", metadata: ["lease": "\(key)"])
        }
        state.withLock { $0.stepDown() }
        tell()
        if !Task.isCancelled { await release() }
    }

    /// Runs the body while leading: waits for election, cancels the body when the lead is lost, and waits again.
    /// Returns when the body returns; throws what it throws.
    package func whileLeading(_ body: @escaping @Sendable () async throws -> Void) async throws {
        while true {
            let term = try await election()
            let hasEnded = try await withThrowingTaskGroup(of: Bool?.self) { group in
                group.addTask { try await self.lead(term, body) }
                group.addTask {
                    await self.guardAgainstStuckWork(in: term)
                    return nil
                }
                defer { group.cancelAll() }
                while let outcome = try await group.next() {
                    if let outcome { return outcome }
                }
                return false
            }
            if hasEnded { return }
        }
    }

    /// Whether the body ended by itself, rather than by the end of the term.
    private func lead(_ term: Int, _ body: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                await self.loss(of: term)
                return false
            }
            defer { group.cancelAll() }
            do {
                let hasEnded = try await group.next() ?? false
                try Task.checkCancellation()
                return hasEnded
            } catch is CancellationError where !Task.isCancelled {
                // The body saw the end of the term before we did.
                return false
            }
        }
    }

    private func guardAgainstStuckWork(in term: Int) async {
        var limit = timeline.now + timing.lease
        while !Task.isCancelled {
            let mark = bell.count
            let (isOurs, rivals) = state.withLock { ($0.term == term && $0.leadsUntil(at: timeline.now) != nil, $0.rivalsWaitUntil) }
            if isOurs, let rivals { limit = rivals }
            guard timeline.now < limit else { break }
            await bell.wait(since: mark, until: limit, on: timeline)
        }
        guard !Task.isCancelled else { return }
        logger.critical("work did not stop when the lead was lost", metadata: ["lease": "\(key)"])
        if case .exit = stuckWork { _exit(70) }
    }

    /// Waits until we lead, and says in which term.
    private func election() async throws -> Int {
        while true {
            let mark = bell.count
            try Task.checkCancellation()
            if let term = state.withLock({ $0.leadsUntil(at: timeline.now) == nil ? nil : $0.term }) { return term }
            await bell.wait(since: mark)
        }
    }

    /// Waits until the term is over, by the clock or by what was read, or the task is cancelled.
    private func loss(of term: Int) async {
        while !Task.isCancelled {
            let mark = bell.count
            guard let until = state.withLock({ $0.term == term ? $0.leadsUntil(at: timeline.now) : nil }) else { return }
            await bell.wait(since: mark, until: until, on: timeline)
        }
    }

    private var leadsUntil: Duration? { state.withLock { $0.leadsUntil(at: timeline.now) } }
}

extension Leadership {
    /// One request after the other, as the state says.
    private func contend() async throws {
        while true {
            try Task.checkCancellation()
            let step = state.withLock { $0.next(now: timeline.now, wall: timeline.wall, draw: .random(in: 0..<1)) }
            if case .wait(let until) = step {
                // The lead may run out before it is time to try again: say so in time.
                try await timeline.sleep(until: min(until, leadsUntil ?? until))
                tell()
                continue
            }
            do {
                try await perform(step)
            } catch KubeError.conflict, KubeError.alreadyExists {
                state.withLock { $0.conflicted() }
            } catch {
                try Task.checkCancellation()
                state.withLock { $0.failed(at: timeline.now, draw: .random(in: 0..<1)) }
                logger.warning("lease not reached, will retry", metadata: ["lease": "\(key)", "error": "\(error)"])
            }
            tell()
        }
    }

    private func perform(_ step: LeadershipState.Step) async throws {
        let sent = timeline.now
        // A renewal that outlives the lead is of no use to it.
        let limit = min(timing.attempt, leadsUntil.map { $0 - sent } ?? timing.attempt)
        switch step {
        case .wait: break
        case .read:
            let found = try await timeline.within(limit) { [client, key] in try await client.find(Lease.self, key) }
            state.withLock { $0.observed(found, at: timeline.now) }
        case .create(let lease):
            let written = try await timeline.within(limit) { [client] in try await client.create(lease) }
            state.withLock { $0.wrote(written, sent: sent, at: timeline.now) }
        case .replace(let lease):
            let written = try await timeline.within(limit) { [client] in try await client.replace(lease) }
            state.withLock { $0.wrote(written, sent: sent, at: timeline.now) }
        }
    }

    /// Wakes whoever waits for a change of leadership, and logs one.
    private func tell() {
        let isLeading = isLeader
        gauge.set(isLeading ? 1 : 0)
        bell.ring()
        let hasChanged = wasLeading.withLock { was in
            defer { was = isLeading }
            return was != isLeading
        }
        guard hasChanged else { return }
        logger.info(isLeading ? "leading" : "no longer leading", metadata: ["lease": "\(key)", "holder": "\(holder ?? "")"])
    }

    /// Gives the lease back. Work under it must have ended: it was listed after us, and stopped first.
    private func release() async {
        do {
            try await timeline.within(timing.attempt) { try await self.giveBack() }
        } catch {
            // It runs out by itself.
            logger.warning("lease not given back", metadata: ["lease": "\(key)", "error": "\(error)"])
        }
    }

    private func giveBack() async throws {
        guard let freed = state.withLock({ $0.freed(wall: timeline.wall) }) else { return }
        if try await replaces(freed) { return }
        // A renewal that was cut off on its way had its effect: what we know is one version old.
        let found = try await client.find(Lease.self, key)
        state.withLock { $0.observed(found, at: timeline.now) }
        if let again = state.withLock({ $0.freed(wall: timeline.wall) }) { _ = try await client.replace(again) }
    }

    /// Whether the lease was as we knew it, and is replaced.
    private func replaces(_ lease: Lease) async throws -> Bool {
        do {
            _ = try await client.replace(lease)
            return true
        } catch KubeError.conflict {
            return false
        }
    }
}
