// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
package import HydroAPI
package import KubeCore
package import Logging
import Synchronization

/// Turns what the watches tell into routes, and keeps the table up to date.
///
/// Calls may come from any thread and in any order: a route may be told before the pods that it needs, or after.
package final class RoutingFeed: Sendable {
    private let table: RoutingTable
    private let logger: Logger
    private let kafka: KafkaWishes?
    private let seen: Mutex<RoutingView>

    /// - Parameters:
    ///   - limits: how many requests at once each name may have, where it does not say itself.
    ///   - kafka: told of the topics whose messages are requests.
    package init(
        into table: RoutingTable, limits: Admission.Limits = Admission.Limits(), kafka: KafkaWishes? = nil, logger: Logger
    ) {
        self.table = table
        self.kafka = kafka
        seen = Mutex(RoutingView(limits: limits))
        self.logger = logger
    }

    /// The application appeared or changed; nil: it is gone.
    package func tell(_ application: Application?, at key: ObjectKey) {
        change { seen in
            let before = seen.applications[key]
            seen.applications[key] = application
            seen.routeApplication(key)
            seen.protect(before, application, at: key)
            note(application?.status.activeRoute, after: before?.status.activeRoute, of: key)
            kafka?.tell(application?.status.activeRoute?.kafka ?? [], of: key)
        }
    }

    /// The servable appeared or changed; nil: it is gone.
    package func tell(_ servable: Servable?, at key: ObjectKey) {
        change { seen in
            let inputsBefore = seen.servables[key]?.status.signature?.inputs
            seen.servables[key] = servable
            seen.routeServable(key)
            guard inputsBefore != servable?.status.signature?.inputs else { return }
            for (place, application) in seen.applications
            where place.namespace == key.namespace && application.status.activeRoute?.servables.contains(key.name) == true {
                seen.routeApplication(place)
            }
        }
    }

    /// The slice appeared or changed. Pods change inside the routes, which stay.
    package func tell(_ slice: EndpointSlice) {
        guard let service = Self.service(of: slice) else { return }
        seen.withLock { seen in
            seen.slices[service, default: [:]][slice.key] = Self.ready(in: slice)
            seen.fillPods(of: service)
        }
    }

    /// The slice is gone.
    package func forget(_ slice: EndpointSlice) {
        guard let service = Self.service(of: slice) else { return }
        seen.withLock { seen in
            seen.slices[service]?[slice.key] = nil
            if seen.slices[service]?.isEmpty == true { seen.slices[service] = nil }
            seen.fillPods(of: service)
        }
    }

    private func note(_ route: ActiveRoute?, after before: ActiveRoute?, of key: ObjectKey) {
        guard route != before else { return }
        let variants = route?.stages.map { stage in stage.variants.map { "\($0.servable)(\($0.weight))" }.joined(separator: " ") }
        logger.info(
            "route changed", metadata: ["application": "\(key)", "stages": "\(variants?.joined(separator: " → ") ?? "none")"])
    }

    private func change(_ body: (inout RoutingView) -> Void) {
        // The table is told inside, so that two changes at once cannot be published in the wrong order.
        seen.withLock { seen in
            body(&seen)
            table.replace(with: seen.routes)
        }
    }

    private static func service(of slice: EndpointSlice) -> ObjectKey? {
        slice.metadata.labels[EndpointSlice.serviceLabel].map { ObjectKey(slice.key.namespace, $0) }
    }

    /// An endpoint's addresses are all of one pod, so the first is enough.
    static func ready(in slice: EndpointSlice) -> [String] {
        guard slice.addressType != "FQDN" else { return [] }
        return slice.endpoints.filter { $0.conditions.ready ?? true && $0.conditions.terminating != true }.compactMap(\.addresses.first)
    }
}
