// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import KubeCore

/// The objects of a store and their indices, as a value.
struct StoreState<Object: KubeResource>: Sendable {
    private(set) var objects: [ObjectKey: Object] = [:]
    private let indices: [StoreIndex<Object>]
    /// By index, then by key of the index.
    private var found: [String: [String: Set<ObjectKey>]] = [:]
    /// Namespaces whose first list is still to come; nil before anyone said which there are.
    private var awaited: Set<String>?

    static var owners: String { "\u{0}owner" }

    init(indices: [StoreIndex<Object>]) {
        self.indices = indices + [StoreIndex(Self.owners) { $0.metadata.ownerReferences.map(\.uid) }]
    }

    var hasSynced: Bool { awaited?.isEmpty ?? false }

    /// Says which lists will come: one for each namespace, or `""` for all in one.
    mutating func expect(_ namespaces: [String]) { awaited = Set(namespaces) }

    func indexed(_ index: String, _ key: String) -> [Object] {
        (found[index]?[key] ?? []).sorted().compactMap { objects[$0] }
    }

    /// A full list of one namespace (`""`: of all). Tells what is different from before.
    mutating func replace(_ list: [Object], in namespace: String) -> [StoreChange<Object>] {
        awaited?.remove(namespace)
        let kept = Set(list.map(\.key))
        let gone = objects.values.filter { !kept.contains($0.key) && (namespace.isEmpty || $0.metadata.namespace == namespace) }
        return gone.sorted { $0.key < $1.key }.compactMap { remove($0) } + list.compactMap { put($0) }
    }

    /// One object as it is now; nil if that was known.
    mutating func put(_ object: Object) -> StoreChange<Object>? {
        let key = object.key
        let old = objects[key]
        // A version without a number is never the same: objects made by hand in tests have none.
        let version = object.metadata.resourceVersion
        if let old, !version.isEmpty, old.metadata.resourceVersion == version, old.metadata.uid == object.metadata.uid { return nil }
        if let old { unindex(old) }
        objects[key] = object
        for index in indices {
            for entry in index.keys(object) { found[index.name, default: [:]][entry, default: []].insert(key) }
        }
        return old.map { .changed(old: $0, new: object) } ?? .appeared(object)
    }

    /// The object is gone; tells its last state.
    mutating func remove(_ object: Object) -> StoreChange<Object>? {
        guard let old = objects.removeValue(forKey: object.key) else { return nil }
        unindex(old)
        return .vanished(old)
    }

    private mutating func unindex(_ object: Object) {
        for index in indices {
            for entry in index.keys(object) {
                found[index.name]?[entry]?.remove(object.key)
                if found[index.name]?[entry]?.isEmpty == true { found[index.name]?[entry] = nil }
            }
        }
    }
}
