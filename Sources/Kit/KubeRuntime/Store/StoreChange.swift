// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeCore

/// What a store learnt about one object.
package enum StoreChange<Object: KubeResource>: Sendable {
    case appeared(Object)
    case changed(old: Object, new: Object)
    case vanished(Object)

    /// The object as it is now, or was last.
    package var object: Object {
        switch self {
        case .appeared(let object), .changed(_, let object), .vanished(let object): object
        }
    }

    /// The object as it was and as it is, as far as either is known.
    package var objects: [Object] {
        switch self {
        case .appeared(let object), .vanished(let object): [object]
        case .changed(let old, let new): [old, new]
        }
    }
}

extension StoreChange: Equatable where Object: Equatable {}

/// A further way to find objects in a store.
package struct StoreIndex<Object: KubeResource>: Sendable {
    package var name: String
    package var keys: @Sendable (Object) -> [String]

    /// - Parameter keys: under which keys an object is to be found. Pure: the same object gives the same keys.
    package init(_ name: String, keys: @escaping @Sendable (Object) -> [String]) {
        self.name = name
        self.keys = keys
    }

    /// Finds objects by the value of a label; the index has the label's name.
    package static func label(_ label: String) -> StoreIndex {
        StoreIndex(label) { $0.metadata.labels[label].map { [$0] } ?? [] }
    }
}
