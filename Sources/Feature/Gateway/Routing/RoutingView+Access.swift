// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import KubeCore

// A servable can be asked by its own name, past its applications; so it is as protected as they are.
extension RoutingView {
    /// Whom the applications that use or own the servable let in; empty where none of them asks who it is.
    ///
    /// An application that is about to ask, and has not published it yet, counts as asking.
    func access(to servable: ObjectKey) -> [Application.Access] {
        let owners = owners(of: servable)
        var access: [Application.Access] = []
        for (key, application) in applications.sorted(by: { $0.key < $1.key }) where key.namespace == servable.namespace {
            let active = application.status.activeRoute
            guard owners.contains(key.name) || active?.servables.contains(servable.name) == true else { continue }
            if let own = active?.access ?? application.spec.access { access.append(own) }
        }
        return access
    }

    /// Routes anew the servables whose protection has changed with the application.
    mutating func protect(_ before: Application?, _ after: Application?, at application: ObjectKey) {
        var names = (before?.status.activeRoute?.servables ?? []).union(after?.status.activeRoute?.servables ?? [])
        for key in servables.keys where key.namespace == application.namespace && owners(of: key).contains(application.name) {
            names.insert(key.name)
        }
        for name in names {
            let key = ObjectKey(application.namespace, name)
            guard case .serving(let route) = routes[RouteTarget(.servable, key)], route.access != access(to: key) else { continue }
            routeServable(key)
        }
    }

    private func owners(of servable: ObjectKey) -> Set<String> {
        let owners = servables[servable]?.metadata.ownerReferences ?? []
        return Set(owners.filter { $0.kind == Application.kind.kind }.map(\.name))
    }
}
