// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Metrics
import Synchronization

/// What names and their pods are doing, copied into metrics when somebody looks.
package final class RoutingGauges: Sendable {
    private let table: RoutingTable
    private let meters = Mutex<[Place: Meter]>([:])

    private struct Place: Hashable {
        var gauge: String
        var kind: String
        var key: ObjectKey
        var labels: [(String, String)] { [("namespace", key.namespace), (kind, key.name)] }
    }

    package init(of table: RoutingTable) { self.table = table }

    /// Tells every gauge its value, and forgets those of names that are gone.
    package func refresh() {
        var values: [Place: Int] = [:]
        for case .serving(let route) in table.all.values {
            let (kind, key) = (route.target.kind.rawValue, route.target.key)
            values[Place(gauge: "hydro_gateway_concurrency_in_flight", kind: kind, key: key)] = route.admission.inFlight
            values[Place(gauge: "hydro_gateway_concurrency_queue", kind: kind, key: key)] = route.admission.queued
            for variant in route.stages.flatMap({ $0.variants + $0.shadows.map(\.variant) }) {
                values[Place(gauge: "hydro_gateway_pods_ready", kind: "servable", key: variant.servable)] = variant.pods.all.count
                values[Place(gauge: "hydro_gateway_pods_ejected", kind: "servable", key: variant.servable)] = variant.pods.ejected
            }
        }
        meters.withLock { meters in
            for (place, meter) in meters where values[place] == nil {
                meter.destroy()
                meters[place] = nil
            }
            for (place, value) in values {
                let meter = meters[place] ?? Meter(label: place.gauge, dimensions: place.labels)
                meters[place] = meter
                meter.set(value)
            }
        }
    }
}
