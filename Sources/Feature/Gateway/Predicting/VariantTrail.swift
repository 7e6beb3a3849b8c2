// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Synchronization

/// Which variant was drawn in each stage, in order: for the log, and for a front that tells its caller.
package final class VariantTrail: Sendable {
    private let variants = Mutex<[Route.Variant]>([])

    package init() {}

    func note(_ variant: Route.Variant) { variants.withLock { $0.append(variant) } }

    /// The names of the servables.
    var servables: [String] { variants.withLock { $0.map(\.servable.name) } }

    /// `clean:4 claims:2`: one for each stage.
    var models: String { variants.withLock { $0.map(\.model).joined(separator: " ") } }
}
