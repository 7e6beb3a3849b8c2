// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore

@testable import Gateway

/// Objects as the API server would tell them.
enum Objects {
    static let features = Field("features", .double, [2])
    static let label = Field("label", .int64, .scalar)
    static let signature = Signature(inputs: [features], outputs: [label])

    static func variant(_ servable: String, weight: Int = 100, port: Int = 9091, shadow: Int? = nil) -> ActiveRoute.Variant {
        var variant = ActiveRoute.Variant()
        variant.servable = servable
        variant.service = servable
        variant.port = port
        variant.model = String(servable.split(separator: "-").first ?? "")
        variant.version = Int(servable.split(separator: "-").last ?? "") ?? 0
        variant.weight = weight
        variant.shadowPercent = shadow
        return variant
    }

    static func stage(_ name: String, _ signature: Signature, _ variants: [ActiveRoute.Variant]) -> ActiveRoute.Stage {
        var stage = ActiveRoute.Stage()
        stage.name = name
        stage.signature = signature
        stage.variants = variants
        return stage
    }

    static func application(
        _ name: String, _ stages: [ActiveRoute.Stage], signature: Signature = signature, timeout: String = "10s", sticky: String? = nil,
        limit: Int? = nil, queue: Int? = nil
    ) -> Application {
        var route = ActiveRoute()
        route.signature = signature
        route.timeout = timeout
        route.stages = stages
        route.sticky = sticky.map { header in
            var sticky = Application.Sticky()
            sticky.header = header
            return sticky
        }
        route.concurrency = limit.map { limit in
            var concurrency = Application.Concurrency()
            concurrency.limit = limit
            concurrency.queue = queue
            return concurrency
        }
        var application = Application()
        application.metadata.namespace = "default"
        application.metadata.name = name
        application.status.activeRoute = route
        return application
    }

    static func servable(_ name: String, signature: Signature = signature, port: Int = 9091) -> Servable {
        var servable = Servable()
        servable.metadata.namespace = "default"
        servable.metadata.name = name
        servable.status.service = name
        servable.status.port = port
        servable.status.signature = signature
        servable.status.model = "tumour"
        servable.status.version = 1
        return servable
    }

    static func slice(_ service: String, _ endpoints: [(String, ready: Bool?)], name: String? = nil) -> EndpointSlice {
        var slice = EndpointSlice()
        slice.metadata.namespace = "default"
        slice.metadata.name = name ?? "\(service)-abcde"
        slice.metadata.labels[EndpointSlice.serviceLabel] = service
        slice.addressType = "IPv4"
        slice.endpoints = endpoints.map { ip, ready in
            var endpoint = EndpointSlice.Endpoint()
            endpoint.addresses = [ip]
            endpoint.conditions.ready = ready
            return endpoint
        }
        return slice
    }
}
