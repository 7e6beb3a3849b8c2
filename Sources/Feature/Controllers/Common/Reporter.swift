// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import JSON
package import KubeClient
package import KubeCore
package import KubeRuntime

/// Writes status: once per pass, only when it changes, with an Event where it means something new to a person.
package struct Reporter: Sendable {
    let client: ClusterClient
    let events: EventRecorder
    let now: @Sendable () -> Timestamp

    package init(client: ClusterClient, events: EventRecorder, now: @escaping @Sendable () -> Timestamp) {
        self.client = client
        self.events = events
        self.now = now
    }

    /// Makes `status` the object's status, with `standing` as its first three conditions.
    package func report<Object: StatusBearing>(
        _ status: Object.StatusValue, _ standing: Standing, also extra: [Condition] = [], on object: Object
    ) async throws {
        var settled = status
        settled.observedGeneration = object.metadata.generation
        settled.conditions = (standing.conditions + extra)
            .settled(after: object.status.conditions, generation: object.metadata.generation, now: now())
        guard settled != object.status else { return }
        let kind = Object.kind
        let body: JSONValue = [
            "apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind),
            "metadata": ["name": .string(object.key.name), "namespace": .string(object.key.namespace)],
            "status": try JSONValue.decode(json: settled.json()).withoutEmptyText,
        ]
        do {
            _ = try await client.apply(json: body.json(), kind: kind, key: object.key, subresource: "status")
        } catch KubeError.notFound {
            return  // it was deleted meanwhile, and needs no status
        }
        tell(object, before: object.status.conditions, after: settled.conditions)
    }

    private func tell<Object: StatusBearing>(_ object: Object, before: [Condition], after: [Condition]) {
        guard let ready = after[ConditionType.ready] else { return }
        let earlier = before[ConditionType.ready]
        guard earlier?.reason != ready.reason || earlier?.status != ready.status else { return }
        let isBad = after.isTrue(ConditionType.stalled)
        events.record(on: object.ref, isBad ? .warning : .normal, reason: ready.reason, message: ready.message)
    }
}

extension JSONValue {
    /// The value without empty strings, members or elements: server-side apply on Kubernetes 1.20 turns them into null in a custom
    /// resource, and then refuses all of it.
    var withoutEmptyText: JSONValue {
        switch self {
        case .object(let members): .object(members.filter { $0.value != .string("") }.mapValues(\.withoutEmptyText))
        case .array(let elements): .array(elements.filter { $0 != .string("") }.map(\.withoutEmptyText))
        default: self
        }
    }
}
