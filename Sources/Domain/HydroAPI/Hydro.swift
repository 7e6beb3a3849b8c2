// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore

/// The words that all our objects share.
package enum Hydro {
    package static let group = "hydrosphere.io"
    package static let version = "v1alpha1"
    /// Who writes our fields, in `managedFields`.
    package static let fieldManager = "hydro-operator"

    static func kind(_ kind: String, _ plural: String) -> ResourceKind { ResourceKind(group, version, kind, plural) }
}

/// Labels and annotations that we set and look for.
package enum Labels {
    package static let name = "app.kubernetes.io/name"
    package static let component = "app.kubernetes.io/component"
    package static let partOf = "app.kubernetes.io/part-of"
    package static let managedBy = "app.kubernetes.io/managed-by"
    package static let servable = "hydrosphere.io/servable"
    package static let model = "hydrosphere.io/model"
    package static let modelVersion = "hydrosphere.io/model-version"
    /// The digest of what we last applied, so that a field that we no longer set is taken back.
    package static let applied = "hydrosphere.io/applied"
    /// The finalizer that keeps a version until its image is deleted.
    package static let imageFinalizer = "hydrosphere.io/image"

    /// What every object that the operator makes carries.
    package static func owned(name: String, component: String) -> [String: String] {
        [Self.name: name, Self.component: component, partOf: "hydro", managedBy: Hydro.fieldManager]
    }
}

/// The conditions that all kinds have, after kstatus.
package enum ConditionType {
    package static let ready = "Ready"
    package static let reconciling = "Reconciling"
    package static let stalled = "Stalled"
    package static let contractCompatible = "ContractCompatible"
    package static let servablesReady = "ServablesReady"
    package static let kafkaReady = "KafkaReady"
}
