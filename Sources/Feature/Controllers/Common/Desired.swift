// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Hashing
import HydroAPI
import JSON
package import KubeCore

/// Comparing what is wanted of an object with what is there.
package enum Desired {
    /// The object with a note of what was wanted of it, by which a later wish for less is noticed.
    package static func stamped<Object: KubeResource>(_ wanted: Object) -> Object {
        var stamped = wanted
        stamped.metadata.annotations[Labels.applied] = String(SHA256.hex(of: wanted.json()).prefix(16))
        return stamped
    }

    /// Why the object must be applied (again), or nil. `wanted` must be stamped.
    package static func drift<Object: KubeResource>(wanted: Object, found: Object?) -> String? {
        guard let found else { return "missing" }
        guard found.metadata.annotations[Labels.applied] == wanted.metadata.annotations[Labels.applied] else { return "changed" }
        do {
            return try Ownership.difference(wanted: wanted, found: found)
        } catch {
            return "unreadable: \(error)"
        }
    }
}
