// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Whether a condition holds.
package enum ConditionStatus: String, Sendable, JSONCodable { case `true` = "True", `false` = "False", unknown = "Unknown" }

/// One thing that is known about an object, as `metav1.Condition` has it.
package struct Condition: JSONRecord, Hashable {
    package var type = ""
    package var status = ConditionStatus.unknown
    package var observedGeneration: Int64 = 0
    package var lastTransitionTime = Timestamp(seconds: 0)
    package var reason = ""
    package var message = ""

    package init() {}
    package init(_ type: String, _ status: ConditionStatus, reason: String, message: String = "") {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
    }

    package static let fields: JSONFields<Condition> = [
        .required("type", \.type), .required("status", \.status), .init("observedGeneration", \.observedGeneration),
        .init("lastTransitionTime", \.lastTransitionTime), .required("reason", \.reason), .init("message", \.messageIfAny),
    ]

    /// Nothing in place of an empty message: server-side apply on Kubernetes 1.20 turns an empty string of a custom resource into null,
    /// and then refuses it.
    private var messageIfAny: String? {
        get { message.isEmpty ? nil : message }
        set { message = newValue ?? "" }
    }
}

extension [Condition] {
    package subscript(type: String) -> Condition? { first { $0.type == type } }

    package func isTrue(_ type: String) -> Bool { self[type]?.status == .true }

    /// These conditions as they are to be written: the time of transition of each is kept from `before` while its status is the same.
    package func settled(after before: [Condition], generation: Int64, now: Timestamp) -> [Condition] {
        map { condition in
            var settled = condition
            settled.observedGeneration = generation
            let earlier = before[condition.type]
            settled.lastTransitionTime = earlier?.status == condition.status ? earlier?.lastTransitionTime ?? now : now.wholeSeconds
            return settled
        }
    }
}
