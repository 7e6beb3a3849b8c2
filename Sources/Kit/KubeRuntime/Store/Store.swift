// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeCore
internal import Synchronization

/// Something that has to be filled once before it can be relied on.
package protocol Synced: Sendable {
    var hasSynced: Bool { get }
    /// Returns when it is filled; throws `DeadlineExceeded` when that takes longer, or when cancelled.
    func waitUntilSynced(within limit: Duration) async throws
}

/// The objects of one kind as of now. A `Reflector` fills it; readers copy.
package final class Store<Object: KubeResource>: Synced {
    private let state: Mutex<StoreState<Object>>
    private let bell = Bell()
    private let timeline: any Timeline

    /// - Parameter indices: beside the index of owners, which is always there.
    package init(indices: [StoreIndex<Object>] = [], timeline: any Timeline = SystemTimeline()) {
        state = Mutex(StoreState(indices: indices))
        self.timeline = timeline
    }

    package func get(_ key: ObjectKey) -> Object? { state.withLock { $0.objects[key] } }

    /// All objects, in no order. Cost: a copy of the references.
    package var all: [Object] { state.withLock { Array($0.objects.values) } }

    /// The keys of all objects, in no order.
    package var keys: [ObjectKey] { state.withLock { Array($0.objects.keys) } }

    package var count: Int { state.withLock { $0.objects.count } }

    /// The objects of which the one with this uid is an owner, in order of their keys.
    package func owned(by uid: String) -> [Object] { indexed(StoreState<Object>.owners, uid) }

    /// The objects under a key of an index, in order of their keys; none if there is no such index.
    package func indexed(_ index: String, _ key: String) -> [Object] { state.withLock { $0.indexed(index, key) } }

    /// Whether the first full list has come.
    package var hasSynced: Bool { state.withLock { $0.hasSynced } }

    package func waitUntilSynced(within limit: Duration) async throws {
        let deadline = timeline.now + limit
        while true {
            let mark = bell.count
            if hasSynced { return }
            try Task.checkCancellation()
            guard timeline.now < deadline else { throw DeadlineExceeded(after: limit) }
            await bell.wait(since: mark, until: deadline, on: timeline)
        }
    }

    // For the reflector that fills it, and for tests that play one.

    /// Says which lists will come: one for each namespace; none named means one of all.
    package func expect(_ namespaces: [String]) { state.withLock { $0.expect(namespaces.isEmpty ? [""] : namespaces) } }

    /// Takes a full list of one namespace (`""`: of all) and tells the differences.
    package func replace(_ list: [Object], in namespace: String = "") -> [StoreChange<Object>] {
        defer { bell.ring() }
        return state.withLock { $0.replace(list, in: namespace) }
    }

    /// Takes one object as it is now; nil if that was known.
    package func put(_ object: Object) -> StoreChange<Object>? { state.withLock { $0.put(object) } }

    /// Forgets an object; nil if it was not known.
    package func remove(_ object: Object) -> StoreChange<Object>? { state.withLock { $0.remove(object) } }
}
