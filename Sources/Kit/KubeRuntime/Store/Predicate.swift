// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeCore

/// Says of a change whether it can matter. Joined with `&&`, `||` and `!`.
package struct Predicate<Object: KubeResource>: Sendable {
    package let accepts: @Sendable (StoreChange<Object>) -> Bool

    /// For a question of one's own; the usual ones have names.
    package init(_ accepts: @escaping @Sendable (StoreChange<Object>) -> Bool) { self.accepts = accepts }

    /// Every change.
    package static var always: Predicate { Predicate { _ in true } }

    /// The spec changed, or the object came, is going, or went. Where the server keeps no generation, any change.
    package static var generationChanged: Predicate {
        Predicate { change in
            guard case .changed(let old, let new) = change else { return true }
            if new.metadata.generation == 0 { return old.metadata.resourceVersion != new.metadata.resourceVersion }
            return old.metadata.generation != new.metadata.generation || old.metadata.uid != new.metadata.uid
                || old.isBeingDeleted != new.isBeingDeleted
        }
    }

    /// The labels or annotations changed, or the object came or went.
    package static var metadataChanged: Predicate {
        Predicate { change in
            guard case .changed(let old, let new) = change else { return true }
            return old.metadata.labels != new.metadata.labels || old.metadata.annotations != new.metadata.annotations
        }
    }

    /// The object has the label, or had it before the change; with `value` that very value.
    package static func labelled(_ label: String, _ value: String? = nil) -> Predicate {
        Predicate { change in
            change.objects.contains { object in object.metadata.labels[label].map { value == nil || $0 == value } ?? false }
        }
    }

    /// An object of that kind owns it, or did before the change.
    package static func owned(byKind kind: ResourceKind) -> Predicate {
        Predicate { change in
            change.objects.contains { object in object.metadata.ownerReferences.contains { $0.isOf(kind) } }
        }
    }

    package static func && (left: Predicate, right: Predicate) -> Predicate {
        Predicate { left.accepts($0) && right.accepts($0) }
    }
    package static func || (left: Predicate, right: Predicate) -> Predicate {
        Predicate { left.accepts($0) || right.accepts($0) }
    }
    package static prefix func ! (negated: Predicate) -> Predicate {
        Predicate { !negated.accepts($0) }
    }
}

extension OwnerReference {
    /// Whether it refers to that kind, in whatever version of its group.
    func isOf(_ kind: ResourceKind) -> Bool { self.kind == kind.kind && group == kind.group }
}
