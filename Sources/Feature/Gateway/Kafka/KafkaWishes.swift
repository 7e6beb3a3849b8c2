// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import KubeCore
import Synchronization

/// One entry that is to be served.
package struct KafkaWish: Hashable, Sendable {
    package var application: ObjectKey
    package var entry: Application.KafkaEntry

    package init(_ application: ObjectKey, _ entry: Application.KafkaEntry) {
        self.application = application
        self.entry = entry
    }

    var group: String { entry.group(of: application) }
    /// The topics that must be there.
    var topics: [String] { [entry.sourceTopic, entry.destinationTopic] + (entry.errorTopic.map { [$0] } ?? []) }
}

/// The entries of all routes as of now. The feed of routes tells; one service listens.
package final class KafkaWishes: Sendable {
    private let entries = Mutex<[ObjectKey: [Application.KafkaEntry]]>([:])
    private let bell: AsyncStream<Void>.Continuation
    /// Rings when there is something new; one ring may stand for several changes.
    let changes: AsyncStream<Void>

    package init() { (changes, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// The application's route has these entries; none where it is gone.
    package func tell(_ fresh: [Application.KafkaEntry], of application: ObjectKey) {
        let isNew = entries.withLock { entries in
            let before = entries.updateValue(fresh, forKey: application)
            if fresh.isEmpty { entries[application] = nil }
            return before ?? [] != fresh
        }
        if isNew { bell.yield() }
    }

    var all: Set<KafkaWish> {
        entries.withLock { entries in Set(entries.flatMap { key, entries in entries.map { KafkaWish(key, $0) } }) }
    }
}

/// Something that is said once and holds from then on.
final class Signal: Sendable {
    private let state = Mutex<(isSet: Bool, waiting: [AsyncStream<Never>.Continuation])>((false, []))

    var isSet: Bool { state.withLock { $0.isSet } }

    func set() {
        let waiting = state.withLock { state in
            state.isSet = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for each in waiting { each.finish() }
    }

    /// Returns when the signal is set, or the task is cancelled.
    func wait() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        let isSet = state.withLock { state in
            if !state.isSet { state.waiting.append(continuation) }
            return state.isSet
        }
        if isSet { return }
        for await _ in stream {}
    }
}
