// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import OCI

/// What an image says of itself.
enum ImageLabels {
    /// Labels of containers: Hydrosphere's two, OCI's, and what the image was made from.
    static func labels(of order: BuildOrder, runtime: PulledImage) -> [String: String] {
        var labels = annotations(of: order, runtime: runtime)
        labels["MODEL_NAME"] = order.model
        labels["MODEL_VERSION"] = String(order.version)
        return labels
    }

    /// Annotations of the manifest.
    static func annotations(of order: BuildOrder, runtime: PulledImage) -> [String: String] {
        [
            "org.opencontainers.image.title": order.model,
            "org.opencontainers.image.version": String(order.version),
            "org.opencontainers.image.base.name": "\(runtime.repository)",
            "org.opencontainers.image.base.digest": "\(runtime.descriptor.digest)",
            "io.hydrosphere.fingerprint": order.fingerprint,
            "io.hydrosphere.source.digest": order.sourceDigest,
        ]
    }
}
