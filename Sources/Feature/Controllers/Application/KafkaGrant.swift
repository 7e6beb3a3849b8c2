// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import KubeCore

/// The gateway's right to read the Secrets that an Application's Kafka entries name, and no others.
package struct KafkaGrant: Equatable, Sendable {
    package var role: Role
    package var binding: RoleBinding

    /// Nil for an Application that names none.
    package init?(_ application: Application, settings: OperatorSettings) {
        let names = Set(Self.secrets(application.spec.kafka) + Self.secrets(application.status.activeRoute?.kafka ?? [])).sorted()
        guard !names.isEmpty else { return nil }
        let metadata = ObjectMeta(
            Self.key(application.key), labels: Labels.owned(name: "hydro", component: "gateway"), owners: [application.asOwner])
        var role = Role()
        role.metadata = metadata
        var rule = PolicyRule([""], ["secrets"], ["get"])
        rule.resourceNames = names
        role.rules = [rule]
        self.role = Desired.stamped(role)
        var binding = RoleBinding()
        binding.metadata = metadata
        binding.roleRef = RoleRef(metadata.name)
        binding.roleRef.kind = Role.kind.kind
        binding.subjects = [Subject(serviceAccount: GatewayDesired.key(settings))]
        self.binding = Desired.stamped(binding)
    }

    /// A dot keeps it apart from other names: no child of ours has one.
    package static func key(_ application: ObjectKey) -> ObjectKey {
        ObjectKey(application.namespace, "hydro-gateway.\(application.name)")
    }

    static func isWanted(_ application: Application) -> Bool { !secrets(application.spec.kafka).isEmpty }

    /// Whether the entries that are served, or were told of, named Secrets: then there may be a grant to take back.
    static func mayBeThere(_ application: Application) -> Bool {
        !secrets(application.status.activeRoute?.kafka ?? []).isEmpty || application.status.conditions[ConditionType.kafkaReady] != nil
    }

    private static func secrets(_ entries: [Application.KafkaEntry]) -> [String] { entries.compactMap(\.secretName) }
}

/// What is there of a grant.
package struct KafkaGrantSeen: Equatable, Sendable {
    package var role: Role?
    package var binding: RoleBinding?

    package init(role: Role? = nil, binding: RoleBinding? = nil) {
        self.role = role
        self.binding = binding
    }
}
