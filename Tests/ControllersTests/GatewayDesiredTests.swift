// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Testing

@testable import Controllers

struct GatewayDesiredTests {
    static var settings: OperatorSettings {
        var settings = OperatorSettings(namespace: "hydro-system", registry: "registry.example")
        settings.gateway.image = "hydro:1"
        return settings
    }

    @Test func `without settings the gateway speaks plain text, and mounts nothing`() {
        let desired = GatewayDesired(Self.settings, owner: nil)
        let pod = desired.deployment.spec.template.spec
        #expect(pod.volumes.isEmpty && pod.containers[0].args.isEmpty && desired.autoscaler == nil)
        #expect(desired.deployment.spec.replicas == 2)
        #expect(GatewayDesired.addresses(Self.settings).http.hasPrefix("http://"))
        #expect(desired.role.rules.contains { $0.resources == ["tokenreviews"] && $0.verbs == ["create"] })
    }

    @Test func `certificates, keys and the tap's folder are mounted where the flags say`() {
        var settings = Self.settings
        settings.gateway.tlsSecret = "gateway-tls"
        settings.gateway.jwks = .configMap("keys")
        settings.gateway.hasTap = true
        settings.gateway.accessLog = "errors"
        let pod = GatewayDesired(settings, owner: nil).deployment.spec.template.spec
        let container = pod.containers[0]
        #expect(pod.volumes.map(\.name) == container.volumeMounts.map(\.name) && pod.volumes.count == 3)
        #expect(pod.volumes[0].secret?.secretName == "gateway-tls" && pod.volumes[1].configMap?.name == "keys")
        for mount in container.volumeMounts { #expect(container.args.contains { $0.hasPrefix(mount.mountPath + "/") }) }
        #expect(container.args.suffix(2) == ["--access-log", "errors"])
        #expect(GatewayDesired.addresses(settings).http.hasPrefix("https://"))
    }

    @Test func `an autoscaler decides about replicas, if there is one`() {
        var settings = Self.settings
        settings.gateway.maxReplicas = 6
        let desired = GatewayDesired(settings, owner: nil)
        #expect(desired.deployment.spec.replicas == nil)
        #expect(desired.autoscaler?.spec.minReplicas == 2 && desired.autoscaler?.spec.maxReplicas == 6)
    }
}
