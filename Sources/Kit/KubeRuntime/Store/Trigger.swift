// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeCore

/// Turns a change of one object into the keys of those to look at.
package struct Trigger<Object: KubeResource>: Sendable {
    private let predicate: Predicate<Object>
    private let targets: @Sendable (Object) -> [ObjectKey]

    /// The object itself.
    package static func itself(where predicate: Predicate<Object> = .generationChanged) -> Trigger {
        Trigger(predicate: predicate) { [$0.key] }
    }

    /// Its owners of that kind, before and after the change. Owners are in the same namespace, or belong to the cluster.
    package static func owner(ofKind kind: ResourceKind, where predicate: Predicate<Object> = .always) -> Trigger {
        Trigger(predicate: predicate) { object in
            object.metadata.ownerReferences.filter { $0.isOf(kind) }
                .map { ObjectKey(kind.isNamespaced ? object.metadata.namespace ?? "" : "", $0.name) }
        }
    }

    /// Whatever `targets` names, asked about the object before and after the change.
    package static func mapped(
        where predicate: Predicate<Object> = .always, _ targets: @escaping @Sendable (Object) -> [ObjectKey]
    ) -> Trigger {
        Trigger(predicate: predicate, targets: targets)
    }

    /// The keys to look at after a change, each once.
    package func keys(for change: StoreChange<Object>) -> [ObjectKey] {
        guard predicate.accepts(change) else { return [] }
        var seen: Set<ObjectKey> = []
        return change.objects.flatMap(targets).filter { seen.insert($0).inserted }
    }

    /// The listener that puts the keys into a queue.
    package func feeding(_ queue: WorkQueue<ObjectKey>) -> @Sendable (StoreChange<Object>) -> Void {
        { change in for key in keys(for: change) { queue.add(key) } }
    }
}
