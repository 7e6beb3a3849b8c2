// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// The account that a pod acts under.
package struct ServiceAccount: KubeResource {
    package static let kind = ResourceKind("", "v1", "ServiceAccount", "serviceaccounts")
    package var metadata = ObjectMeta()
    package init() {}
    package static let fields: JSONFields<ServiceAccount> = [.init("metadata", \.metadata)]
}

/// Rights in all namespaces.
package struct ClusterRole: KubeResource {
    package static let kind = ResourceKind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", isNamespaced: false)
    package var metadata = ObjectMeta()
    package var rules: [PolicyRule] = []
    package init() {}
    package static let fields: JSONFields<ClusterRole> = [.init("metadata", \.metadata), .init("rules", \.rules)]
}

/// Who has the rights of a ClusterRole in all namespaces.
package struct ClusterRoleBinding: KubeResource {
    package static let kind = ResourceKind(
        "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", isNamespaced: false)
    package var metadata = ObjectMeta()
    package var roleRef = RoleRef()
    package var subjects: [Subject] = []
    package init() {}
    package static let fields: JSONFields<ClusterRoleBinding> = [
        .init("metadata", \.metadata), .init("roleRef", \.roleRef), .init("subjects", \.subjects),
    ]
}

/// Rights in one namespace.
package struct Role: KubeResource {
    package static let kind = ResourceKind("rbac.authorization.k8s.io", "v1", "Role", "roles")
    package var metadata = ObjectMeta()
    package var rules: [PolicyRule] = []
    package init() {}
    package static let fields: JSONFields<Role> = [.init("metadata", \.metadata), .init("rules", \.rules)]
}

/// Who has the rights of a role in one namespace.
package struct RoleBinding: KubeResource {
    package static let kind = ResourceKind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
    package var metadata = ObjectMeta()
    package var roleRef = RoleRef()
    package var subjects: [Subject] = []
    package init() {}
    package static let fields: JSONFields<RoleBinding> = [
        .init("metadata", \.metadata), .init("roleRef", \.roleRef), .init("subjects", \.subjects),
    ]
}

/// Verbs on resources.
package struct PolicyRule: JSONRecord, Hashable {
    package var apiGroups: [String] = []
    package var resources: [String] = []
    package var verbs: [String] = []
    /// Empty for all.
    package var resourceNames: [String] = []
    package init() {}
    package init(_ groups: [String], _ resources: [String], _ verbs: [String]) {
        apiGroups = groups
        self.resources = resources
        self.verbs = verbs
    }
    package static let fields: JSONFields<PolicyRule> = [
        .init("apiGroups", \.apiGroups), .init("resources", \.resources), .init("verbs", \.verbs),
        .init("resourceNames", \.resourceNames),
    ]
}

/// The role that a binding hands out.
package struct RoleRef: JSONRecord, Hashable {
    package var apiGroup = "rbac.authorization.k8s.io"
    package var kind = "ClusterRole"
    package var name = ""
    package init() {}
    package init(_ name: String) { self.name = name }
    package static let fields: JSONFields<RoleRef> = [.init("apiGroup", \.apiGroup), .init("kind", \.kind), .init("name", \.name)]
}

/// An account that a binding names.
package struct Subject: JSONRecord, Hashable {
    package var kind = "ServiceAccount"
    package var name = ""
    package var namespace: String?
    package init() {}
    package init(serviceAccount key: ObjectKey) {
        name = key.name
        namespace = key.namespace
    }
    package static let fields: JSONFields<Subject> = [.init("kind", \.kind), .init("name", \.name), .init("namespace", \.namespace)]
}
