// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import JSON
package import KubeClient
package import KubeCore
package import Logging
internal import Metrics
internal import ServiceLifecycle
internal import Synchronization

internal import protocol ServiceLifecycle.Service

/// Writes Kubernetes Events, beside the work and never in its way.
///
/// The queue is bounded: when it is full, what comes is dropped and counted. What happened before is counted up
/// in its event. An event that cannot be written is tried three times.
package final class EventRecorder: Service {
    package enum Kind: Sendable { case normal, warning }

    private struct State {
        var ledger: EventLedger
        var notes: [EventNote] = []
        var dropped = 0
        var isClosed = false
    }

    private let client: ClusterClient
    private let capacity: Int
    private let timeline: any Timeline
    private let logger: Logger
    private let state: Mutex<State>
    private let bell = Bell()
    private let outcomes: [String: Counter]

    /// - Parameters:
    ///   - component: the program, as `kubectl describe` shows it.
    ///   - instance: the pod.
    package init(
        client: ClusterClient, component: String, instance: String, capacity: Int = 1000, timeline: any Timeline = SystemTimeline(),
        logger: Logger
    ) {
        self.client = client
        self.capacity = capacity
        self.timeline = timeline
        self.logger = logger
        state = Mutex(State(ledger: EventLedger(component: component, instance: instance)))
        outcomes = Dictionary(
            uniqueKeysWithValues: ["written", "dropped", "failed"].map {
                ($0, Counter(label: "hydro_kuberuntime_events_total", dimensions: [("outcome", $0)]))
            })
    }

    /// Takes note of something that happened to an object. Never waits.
    package func record(on object: ObjectRef, _ kind: Kind, reason: String, message: String) {
        let note = EventNote(involved: object, isWarning: kind == .warning, reason: reason, message: message)
        let isTaken = state.withLock { state in
            guard state.notes.count < capacity else {
                state.dropped += 1
                return false
            }
            state.notes.append(note)
            return true
        }
        if isTaken { bell.ring() } else { outcomes["dropped"]?.increment() }
    }

    /// How many notes were dropped, for want of room or because their object had its share.
    package var dropped: Int { state.withLock { $0.dropped } }

    /// Writes until shut down, then what is left, for two seconds at most.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await self.write()
        } onGracefulShutdown: {
            self.state.withLock { $0.isClosed = true }
            self.bell.ring()
        }
    }

    private func write() async {
        while !Task.isCancelled {
            let mark = bell.count
            let (notes, isClosed) = state.withLock { state in
                defer { state.notes = [] }
                return (state.notes, state.isClosed)
            }
            if isClosed { return await flush(notes) }
            for note in notes { await write(note, attempts: 3) }
            if notes.isEmpty { await bell.wait(since: mark) }
        }
    }

    private func flush(_ notes: [EventNote]) async {
        do {
            try await timeline.within(.seconds(2)) { for note in notes { await self.write(note, attempts: 1) } }
        } catch {
            logger.debug("events left unwritten", metadata: ["error": "\(error)"])
        }
    }

    private func write(_ note: EventNote, attempts: Int) async {
        let step = state.withLock { $0.ledger.step(for: note, now: timeline.now, wall: timeline.wall) }
        if case .drop = step {
            state.withLock { $0.dropped += 1 }
            outcomes["dropped"]?.increment()
            return
        }
        for attempt in 1...attempts where !Task.isCancelled && !state.withLock({ $0.isClosed && attempt > 1 }) {
            do {
                try await timeline.within(.seconds(10)) { try await self.send(step, of: note) }
                outcomes["written"]?.increment()
                return
            } catch KubeError.notFound, KubeError.forbidden {
                break  // its namespace is gone, or events are not allowed here: no attempt will change that
            } catch {
                logger.debug(
                    "event not written", metadata: ["object": "\(note.involved)", "reason": "\(note.reason)", "error": "\(error)"])
                // A cancelled sleep ends the loop at its condition.
                try? await timeline.sleep(until: timeline.now + .seconds(attempt))
            }
        }
        state.withLock { $0.ledger.forget(note) }
        outcomes["failed"]?.increment()
    }

    private func send(_ step: EventLedger.Step, of note: EventNote) async throws {
        switch step {
        case .drop: break
        case .create(let event): try await create(event)
        case .recount(let key, let count, let last):
            let patch: JSONValue = ["count": .int(Int64(count)), "lastTimestamp": .string(last.description)]
            do {
                _ = try await client.mergePatch(Event.self, key, patch)
            } catch KubeError.notFound {
                if let event = writtenAnew(note) { try await create(event) }
            }
        }
    }

    private func create(_ event: Event) async throws {
        do {
            _ = try await client.create(event)
        } catch KubeError.alreadyExists {
            // An earlier attempt got through, but its answer did not.
        }
    }

    /// The event of a note whose earlier event the server has forgotten.
    private func writtenAnew(_ note: EventNote) -> Event? {
        let step = state.withLock { state in
            state.ledger.forget(note)
            return state.ledger.step(for: note, now: timeline.now, wall: timeline.wall)
        }
        guard case .create(let event) = step else { return nil }
        return event
    }
}
