// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// Which variant was drawn in each stage, for a front that tells its caller.
package final class VariantTrail: Sendable {
    private let models = Mutex<[String]>([])

    package init() {}

    func note(_ variant: Route.Variant) { models.withLock { $0.append(variant.model) } }

    /// `clean:4 claims:2`: one for each stage.
    package var text: String { models.withLock { $0.joined(separator: " ") } }
}
