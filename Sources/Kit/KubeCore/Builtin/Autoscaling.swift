// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Keeps a workload's replicas in step with its load. `v2` from Kubernetes 1.23 on; `v2beta2` has the same fields.
package struct HorizontalPodAutoscaler: KubeResource {
    package static let kind = ResourceKind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
    package var metadata = ObjectMeta()
    package var spec = Spec()

    package init() {}
    package static let fields: JSONFields<HorizontalPodAutoscaler> = [.init("metadata", \.metadata), .init("spec", \.spec)]

    package struct Spec: JSONRecord {
        package var scaleTargetRef = Target()
        package var minReplicas: Int?
        package var maxReplicas = 1
        package var metrics: [Metric] = []
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .init("scaleTargetRef", \.scaleTargetRef), .init("minReplicas", \.minReplicas), .init("maxReplicas", \.maxReplicas),
            .init("metrics", \.metrics),
        ]
    }

    package struct Target: JSONRecord {
        package var apiVersion = "apps/v1"
        package var kind = "Deployment"
        package var name = ""
        package init() {}
        package static let fields: JSONFields<Target> = [.init("apiVersion", \.apiVersion), .init("kind", \.kind), .init("name", \.name)]
    }

    package struct Metric: JSONRecord {
        package var type = "Resource"
        package var resource = ResourceMetric()
        package init() {}
        /// The mean use of a resource, in percent of what is requested.
        package init(resource name: String, utilization: Int) {
            resource.name = name
            resource.target.averageUtilization = utilization
        }
        package static let fields: JSONFields<Metric> = [.init("type", \.type), .init("resource", \.resource)]
    }

    package struct ResourceMetric: JSONRecord {
        package var name = ""
        package var target = MetricTarget()
        package init() {}
        package static let fields: JSONFields<ResourceMetric> = [.init("name", \.name), .init("target", \.target)]
    }

    package struct MetricTarget: JSONRecord {
        package var type = "Utilization"
        package var averageUtilization = 80
        package init() {}
        package static let fields: JSONFields<MetricTarget> = [.init("type", \.type), .init("averageUtilization", \.averageUtilization)]
    }
}

/// How many pods may be missing by choice. `v1` from Kubernetes 1.21 on, `v1beta1` before.
package struct PodDisruptionBudget: KubeResource {
    package static let kind = ResourceKind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
    package var metadata = ObjectMeta()
    package var spec = Spec()

    package init() {}
    package static let fields: JSONFields<PodDisruptionBudget> = [.init("metadata", \.metadata), .init("spec", \.spec)]

    package struct Spec: JSONRecord {
        package var maxUnavailable: IntOrString?
        package var minAvailable: IntOrString?
        package var selector = LabelSelector()
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .init("maxUnavailable", \.maxUnavailable), .init("minAvailable", \.minAvailable), .init("selector", \.selector),
        ]
    }
}
