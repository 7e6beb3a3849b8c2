// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON
package import KubeCore

/// How servables run: replicas, autoscaling, resources, environment, placement.
package struct DeploymentConfiguration: KubeResource {
    package static let kind = Hydro.kind("DeploymentConfiguration", "deploymentconfigurations")
    package var metadata = ObjectMeta()
    package var spec = Spec()

    package init() {}
    package static let fields: JSONFields<DeploymentConfiguration> = [.init("metadata", \.metadata), .init("spec", \.spec)]

    package struct Spec: JSONRecord {
        package var container: ContainerPart?
        package var pod: PodPart?
        package var deployment: DeploymentPart?
        package var hpa: Autoscaling?
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .init("container", \.container), .init("pod", \.pod), .init("deployment", \.deployment), .init("hpa", \.hpa),
        ]
    }

    package struct ContainerPart: JSONRecord {
        package var resources: Resources?
        package var env: [String: String] = [:]
        package init() {}
        package static let fields: JSONFields<ContainerPart> = [.init("resources", \.resources), .init("env", \.env)]
    }

    package struct PodPart: JSONRecord {
        package var nodeSelector: [String: String] = [:]
        package var affinity: JSONValue?
        package var tolerations: [JSONValue] = []
        package init() {}
        package static let fields: JSONFields<PodPart> = [
            .init("nodeSelector", \.nodeSelector), .init("affinity", \.affinity), .init("tolerations", \.tolerations),
        ]
    }

    package struct DeploymentPart: JSONRecord {
        package var replicaCount: Int?
        package init() {}
        package static let fields: JSONFields<DeploymentPart> = [.init("replicaCount", \.replicaCount)]
    }

    package struct Autoscaling: JSONRecord {
        package var minReplicas: Int?
        package var maxReplicas = 1
        package var cpuUtilization: Int?
        package init() {}
        package static let fields: JSONFields<Autoscaling> = [
            .init("minReplicas", \.minReplicas), .init("maxReplicas", \.maxReplicas), .init("cpuUtilization", \.cpuUtilization),
        ]
    }
}
