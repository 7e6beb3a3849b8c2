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
    private var admissions: [RouteTarget: Admission] = [:]
    private let limits: Admission.Limits

    /// - Parameter limits: for names that say nothing about it themselves.
    init(limits: Admission.Limits = Admission.Limits()) { self.limits = limits }

    mutating func routeApplication(_ key: ObjectKey) {
        let application = applications[key]
        let services = application?.status.activeRoute?.stages.flatMap { $0.variants.map(\.service) } ?? []
        preparePods(of: services, in: key.namespace)
        let target = RouteTarget(.application, key)
        let own = application?.status.activeRoute?.concurrency.map { Admission.Limits(limit: $0.limit, queue: $0.queue ?? $0.limit) }
        routes[target] = application.map { RouteState($0, surroundings(of: target, own ?? limits)) }
        if application == nil { admissions[target] = nil }
        forgetUnusedPods()
    }

    mutating func routeServable(_ key: ObjectKey) {
        let servable = servables[key]
        preparePods(of: [servable?.status.service].compactMap(\.self), in: key.namespace)
        let target = RouteTarget(.servable, key)
        routes[target] = servable.map { servable in
            var around = surroundings(of: target, limits)
            around.access = access(to: key)
            return RouteState(servable, around)
        }
        if servable == nil { admissions[target] = nil }
        forgetUnusedPods()
    }

    /// Requests that were let in under other limits leave where they came in: for a moment both sets of limits hold.
    private mutating func surroundings(of target: RouteTarget, _ limits: Admission.Limits) -> RouteSurroundings {
        let known = admissions[target].flatMap { $0.limits == limits ? $0 : nil }
        let admission = known ?? Admission(target, limits)
        admissions[target] = admission
        return RouteSurroundings(pods: pods, servables: servables, admission: admission)
    }

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
