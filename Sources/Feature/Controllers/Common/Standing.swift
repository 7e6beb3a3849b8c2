// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import JSON
package import KubeCore

/// Where an object stands, from which its kstatus conditions follow.
package enum Standing: Equatable, Sendable {
    /// What was asked for is there.
    case ready(message: String = "")
    /// On the way; nobody has to do anything.
    case working(reason: String, message: String)
    /// Only a person can help.
    case stalled(reason: String, message: String)

    /// Ready, Reconciling and Stalled. The polarity of the first is good, that of the other two is bad.
    package var conditions: [Condition] {
        switch self {
        case .ready(let message):
            [
                Condition(ConditionType.ready, .true, reason: "Ready", message: message),
                Condition(ConditionType.reconciling, .false, reason: "Ready"),
                Condition(ConditionType.stalled, .false, reason: "Ready"),
            ]
        case .working(let reason, let message):
            [
                Condition(ConditionType.ready, .false, reason: reason, message: message),
                Condition(ConditionType.reconciling, .true, reason: reason, message: message),
                Condition(ConditionType.stalled, .false, reason: reason),
            ]
        case .stalled(let reason, let message):
            [
                Condition(ConditionType.ready, .false, reason: reason, message: message),
                Condition(ConditionType.reconciling, .false, reason: reason),
                Condition(ConditionType.stalled, .true, reason: reason, message: message),
            ]
        }
    }
}

/// A kind whose status the operator writes.
package protocol StatusBearing: KubeResource {
    associatedtype StatusValue: StatusWithConditions
    var status: StatusValue { get set }
}

/// A status that says which generation it speaks of.
package protocol StatusWithConditions: JSONRecord {
    var observedGeneration: Int64? { get set }
    var conditions: [Condition] { get set }
}

extension Model: StatusBearing {}
extension Model.Status: StatusWithConditions {}
extension ModelVersion: StatusBearing {}
extension ModelVersion.Status: StatusWithConditions {}
extension Runtime: StatusBearing {}
extension Runtime.Status: StatusWithConditions {}
extension Servable: StatusBearing {}
extension Servable.Status: StatusWithConditions {}
extension Application: StatusBearing {}
extension Application.Status: StatusWithConditions {}
