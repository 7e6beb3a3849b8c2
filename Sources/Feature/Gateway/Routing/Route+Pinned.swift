// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore

extension Route {
    /// The same route with its last stage answered by one version of the model alone, for a caller who names it.
    ///
    /// Where several variants are of that version, their weights decide among them; where none of them has any, they are equal.
    package func pinned(to version: Int) throws(PredictionError) -> Route {
        let last = stages.count - 1
        let variants = stages[last].variants.filter { $0.version == version }
        guard !variants.isEmpty else { throw .unknownVersion(target, wanted: version, served: versions) }
        if variants.count == stages[last].variants.count { return self }
        let weights = variants.map(\.weight)
        let picker = VariantPicker(
            weights: weights.contains { $0 > 0 } ? weights : weights.map { _ in 1 }, names: variants.map(\.servable.name))
        let pinned = Stage(
            name: stages[last].name, signature: stages[last].signature, variants: variants, picker: picker, shadows: stages[last].shadows)
        return Route(
            target: target, signature: signature, timeout: timeout, stickyHeader: stickyHeader, stages: stages.dropLast() + [pinned],
            meters: meters, admission: admission, access: access)
    }

    /// The versions that answer in the last stage, in order.
    package var versions: [Int] { Set(stages[stages.count - 1].variants.map(\.version)).sorted() }
}
