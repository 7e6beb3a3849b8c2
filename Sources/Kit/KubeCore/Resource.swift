// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Which kind of object: where its API lies and how it is spelt.
package struct ResourceKind: Hashable, Sendable, CustomStringConvertible {
    /// The API group; empty for the core group.
    package var group: String
    package var version: String
    package var kind: String
    package var plural: String
    package var isNamespaced: Bool

    package init(_ group: String, _ version: String, _ kind: String, _ plural: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.isNamespaced = isNamespaced
    }

    /// `apps/v1`, or `v1` in the core group.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    package var description: String { group.isEmpty ? kind : "\(kind).\(group)" }

    /// The same kind as another version of its group serves it.
    package func at(version: String) -> ResourceKind {
        ResourceKind(group, version, kind, plural, isNamespaced: isNamespaced)
    }

    /// The path of the collection, in one namespace or (nil) in all.
    package func path(namespace: String?) -> String {
        let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        guard isNamespaced, let namespace, !namespace.isEmpty else { return "\(root)/\(plural)" }
        return "\(root)/namespaces/\(namespace)/\(plural)"
    }

    /// The path of one object, or of its subresource.
    package func path(_ key: ObjectKey, subresource: String? = nil) -> String {
        let object = "\(path(namespace: key.namespace))/\(key.name)"
        return subresource.map { "\(object)/\($0)" } ?? object
    }
}

/// An object of the Kubernetes API; only the fields that we use are read and written.
package protocol KubeResource: JSONRecord {
    static var kind: ResourceKind { get }
    var metadata: ObjectMeta { get set }
}

extension KubeResource {
    package var key: ObjectKey { ObjectKey(metadata.namespace ?? "", metadata.name) }
    package var ref: ObjectRef { ObjectRef(kind: Self.kind, key: key, uid: metadata.uid.isEmpty ? nil : metadata.uid) }

    /// Whether someone asked for its deletion.
    package var isBeingDeleted: Bool { metadata.deletionTimestamp != nil }

    /// A reference for a child's `ownerReferences`, as its one controller.
    package var asController: OwnerReference {
        var owner = asOwner
        owner.controller = true
        owner.blockOwnerDeletion = true
        return owner
    }

    /// A reference for a child that several owners share.
    package var asOwner: OwnerReference {
        OwnerReference(apiVersion: Self.kind.apiVersion, kind: Self.kind.kind, name: metadata.name, uid: metadata.uid)
    }

    package func write(to writer: inout JSONWriter) { write(to: &writer, as: Self.kind) }

    /// Writes the object as another version of its group.
    package func write(to writer: inout JSONWriter, as kind: ResourceKind) {
        writer.beginObject()
        writer.key("apiVersion")
        writer.string(kind.apiVersion)
        writer.key("kind")
        writer.string(kind.kind)
        writeMembers(to: &writer)
        writer.endObject()
    }

    /// The object's JSON as another version of its group.
    package func json(as kind: ResourceKind) -> [UInt8] {
        var writer = JSONWriter(reserving: 1024)
        write(to: &writer, as: kind)
        return writer.bytes
    }
}

/// Namespace and name; the namespace is empty for what belongs to the cluster.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var namespace: String
    package var name: String

    package init(_ namespace: String, _ name: String) {
        self.namespace = namespace
        self.name = name
    }

    package var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// One object, by kind, key and, where it matters, by the life it leads.
package struct ObjectRef: Hashable, Sendable, CustomStringConvertible {
    package var kind: ResourceKind
    package var key: ObjectKey
    package var uid: String?

    package init(kind: ResourceKind, key: ObjectKey, uid: String? = nil) {
        self.kind = kind
        self.key = key
        self.uid = uid
    }

    package var description: String { "\(kind.kind) \(key)" }
}
