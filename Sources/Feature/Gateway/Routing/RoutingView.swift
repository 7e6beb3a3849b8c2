// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import KubeCore

/// What the watches have told so far, and the routes that follow from it.
struct RoutingView {
    var applications: [ObjectKey: Application] = [:]
    var servables: [ObjectKey: Servable] = [:]
    /// The ready addresses of each EndpointSlice, by Service.
    var slices: [ObjectKey: [ObjectKey: [String]]] = [:]
    private(set) var routes: [RouteTarget: RouteState] = [:]
    private var pods: [ObjectKey: PodSet] = [:]

    mutating func routeApplication(_ key: ObjectKey) {
        let application = applications[key]
        let services = application?.status.activeRoute?.stages.flatMap { $0.variants.map(\.service) } ?? []
        preparePods(of: services, in: key.namespace)
        routes[RouteTarget(.application, key)] = application.map { RouteState($0, surroundings) }
        forgetUnusedPods()
    }

    mutating func routeServable(_ key: ObjectKey) {
        let servable = servables[key]
        preparePods(of: [servable?.status.service].compactMap(\.self), in: key.namespace)
        routes[RouteTarget(.servable, key)] = servable.map { RouteState($0, surroundings) }
        forgetUnusedPods()
    }

    private var surroundings: RouteSurroundings { RouteSurroundings(pods: pods, servables: servables) }

    /// A route may come before the first slice: its sets of pods are there already, to be filled.
    private mutating func preparePods(of services: [String], in namespace: String) {
        for service in services {
            let key = ObjectKey(namespace, service)
            if pods[key] == nil { pods[key] = PodSet((slices[key] ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value)) }
        }
    }

    mutating func fillPods(of service: ObjectKey) {
        let addresses = (slices[service] ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value)
        if let pods = pods[service] { return pods.replace(with: addresses) }
        if !addresses.isEmpty { pods[service] = PodSet(addresses) }
    }

    /// Sets without pods that no route holds on to. Those with pods go when their slices go.
    private mutating func forgetUnusedPods() {
        guard pods.count > 2 * routes.count + 64 else { return }
        var used: Set<ObjectIdentifier> = []
        for case .serving(let route) in routes.values {
            for stage in route.stages { for variant in stage.variants { used.insert(ObjectIdentifier(variant.pods)) } }
        }
        pods = pods.filter { slices[$0.key] != nil || used.contains(ObjectIdentifier($0.value)) }
    }
}
