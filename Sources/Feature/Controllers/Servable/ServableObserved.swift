// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import KubeCore

/// All that a pass over a servable knows of the world.
package struct ServableObserved: Sendable {
    package var version: ModelVersion?
    /// Outer nil: none is asked for. Inner nil: the one asked for is missing.
    package var configuration: DeploymentConfiguration??
    package var deployment: Deployment?
    package var service: Service?
    package var autoscaler: HorizontalPodAutoscaler?
    package var budget: PodDisruptionBudget?
    package var pods: [Pod] = []

    package init() {}
}
