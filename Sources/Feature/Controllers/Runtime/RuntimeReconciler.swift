// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Composer
import HydroAPI
import KubeRuntime
import OCI

/// Tells whether a Runtime's image is there, and by which digest.
struct RuntimeReconciler: Sendable {
    let composer: any ImageComposing
    let reporter: Reporter
    let settings: OperatorSettings

    func reconcile(_ runtime: Runtime) async throws -> Verdict {
        var status = runtime.status
        var standing = Standing.ready()
        var verdict = Verdict.settled
        do {
            let image = try await composer.resolveRuntime(image: settings.pushed(runtime.spec.image))
            status.digest = image.reference.digest?.description
            standing = .ready(message: image.reference.description)
        } catch let error as ComposerError {
            standing =
                error.canHeal
                ? .working(reason: error.reason.rawValue, message: error.message)
                : .stalled(reason: error.reason.rawValue, message: error.message)
            // An image may be pushed after the Runtime that names it, and nobody tells us.
            verdict = error.canHeal ? .failing(message: error.message) : .waiting(reason: error.reason.rawValue, retry: .seconds(60))
        }
        try await reporter.report(status, standing, on: runtime)
        return verdict
    }
}
