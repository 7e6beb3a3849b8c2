// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// What every object has: its names, its life and its owners.
package struct ObjectMeta: JSONRecord {
    package var name = ""
    package var namespace: String?
    package var uid = ""
    package var resourceVersion = ""
    package var generation: Int64 = 0
    package var creationTimestamp: Timestamp?
    package var deletionTimestamp: Timestamp?
    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    package var ownerReferences: [OwnerReference] = []
    package var finalizers: [String] = []

    package init() {}

    /// The metadata of an object that is to be made.
    package init(
        _ key: ObjectKey, labels: [String: String] = [:], annotations: [String: String] = [:], owners: [OwnerReference] = []
    ) {
        name = key.name
        namespace = key.namespace.isEmpty ? nil : key.namespace
        self.labels = labels
        self.annotations = annotations
        ownerReferences = owners
    }

    package static let fields: JSONFields<ObjectMeta> = [
        .init("name", \.name), .init("namespace", \.namespace), .init("uid", \.uidIfAny),
        .init("resourceVersion", \.resourceVersionIfAny), .init("generation", \.generationIfAny),
        .init("creationTimestamp", \.creationTimestamp), .init("deletionTimestamp", \.deletionTimestamp),
        .init("labels", \.labels), .init("annotations", \.annotations),
        .init("ownerReferences", \.ownerReferences), .init("finalizers", \.finalizers),
    ]

    /// The owner that controls the object, if one does.
    package var controller: OwnerReference? { ownerReferences.first { $0.controller == true } }
}

extension ObjectMeta {
    // What only the server sets is left out of what is written while it is empty.
    private var uidIfAny: String? {
        get { uid.isEmpty ? nil : uid }
        set { uid = newValue ?? "" }
    }
    private var resourceVersionIfAny: String? {
        get { resourceVersion.isEmpty ? nil : resourceVersion }
        set { resourceVersion = newValue ?? "" }
    }
    private var generationIfAny: Int64? {
        get { generation == 0 ? nil : generation }
        set { generation = newValue ?? 0 }
    }
}

/// Who owns an object; when the last owner is gone, the cluster deletes it.
package struct OwnerReference: JSONRecord, Hashable {
    package var apiVersion = ""
    package var kind = ""
    package var name = ""
    package var uid = ""
    package var controller: Bool?
    package var blockOwnerDeletion: Bool?

    package init() {}
    package init(apiVersion: String, kind: String, name: String, uid: String) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
    }

    package static let fields: JSONFields<OwnerReference> = [
        .init("apiVersion", \.apiVersion), .init("kind", \.kind), .init("name", \.name), .init("uid", \.uid),
        .init("controller", \.controller), .init("blockOwnerDeletion", \.blockOwnerDeletion),
    ]

    /// The API group of the owner, whatever its version.
    package var group: String { apiVersion.split(separator: "/").count == 2 ? String(apiVersion.prefix { $0 != "/" }) : "" }
}
