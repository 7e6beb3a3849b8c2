// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON
package import KubeCore

/// The verbs. Where a type is served under several versions, `kind` says which one to use.
extension ClusterClient {
    /// The object; throws `notFound` where there is none.
    package func get<T: KubeResource>(_ type: T.Type, _ key: ObjectKey, kind: ResourceKind? = nil) async throws(KubeError) -> T {
        let kind = kind ?? T.kind
        return try await object(.get(kind, key), "get", kind, key)
    }

    /// The object, or nil.
    package func find<T: KubeResource>(_ type: T.Type, _ key: ObjectKey, kind: ResourceKind? = nil) async throws(KubeError) -> T? {
        do throws(KubeError) {
            return try await get(type, key, kind: kind)
        } catch .notFound {
            return nil
        }
    }

    /// All objects, page by page, as of one moment. Begins anew when the pages expire in between.
    package func list<T: KubeResource>(
        _ type: T.Type, namespace: String? = nil, _ options: ListOptions = ListOptions(), kind: ResourceKind? = nil
    ) async throws(KubeError) -> ResourceList<T> {
        let kind = kind ?? T.kind
        var options = options
        var restarts = 0
        while true {
            do throws(KubeError) {
                return try await pages(kind, namespace, options)
            } catch .expired(let refusal) {
                restarts += 1
                guard restarts < 4 else { throw .expired(refusal) }
                // Pages that expire again and again are too slow for this server: then in one piece.
                if restarts == 3 { options.limit = 0 }
            }
        }
    }

    /// Makes the object; throws `alreadyExists` where there is one.
    package func create<T: KubeResource>(_ object: T, kind: ResourceKind? = nil) async throws(KubeError) -> T {
        let kind = kind ?? T.kind
        return try await self.object(
            owned(.create(object.json(as: kind), kind, namespace: object.metadata.namespace)), "create", kind, object.key)
    }

    /// Server-side apply of the fields that the object has, as this client's own.
    package func apply<T: KubeResource>(_ object: T, force: Bool = true, kind: ResourceKind? = nil) async throws(KubeError) -> T {
        let kind = kind ?? T.kind
        var wanted = object
        // What only the server sets would be taken for a condition.
        wanted.metadata.uid = ""
        wanted.metadata.resourceVersion = ""
        wanted.metadata.generation = 0
        wanted.metadata.creationTimestamp = nil
        wanted.metadata.deletionTimestamp = nil
        let request = KubeRequest.apply(wanted.json(as: kind), kind, object.key, manager: fieldManager, force: force)
        return try await self.object(request, "apply", kind, object.key)
    }

    /// Server-side apply of the object's status and nothing else.
    package func applyStatus<T: KubeResource>(_ object: T, kind: ResourceKind? = nil) async throws(KubeError) -> T {
        let kind = kind ?? T.kind
        let status: JSONValue
        do {
            status = try JSONValue.decode(json: object.json(as: kind))["status"] ?? [:]
        } catch {
            throw .badAnswer(request: Self.name("apply status of", kind, object.key), reason: "\(error)")
        }
        var metadata: [String: JSONValue] = ["name": .string(object.metadata.name)]
        if let namespace = object.metadata.namespace { metadata["namespace"] = .string(namespace) }
        let bare: JSONValue = [
            "apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind), "metadata": .object(metadata), "status": status,
        ]
        let request = KubeRequest.apply(bare.json(), kind, object.key, manager: fieldManager, force: true, subresource: "status")
        return try await self.object(request, "apply status of", kind, object.key)
    }

    /// Server-side apply of JSON as it is; gives the object's JSON.
    package func apply(
        json: [UInt8], kind: ResourceKind, key: ObjectKey, subresource: String? = nil, force: Bool = true
    ) async throws(KubeError) -> [UInt8] {
        let request = KubeRequest.apply(json, kind, key, manager: fieldManager, force: force, subresource: subresource)
        return try await answer(to: request, named: Self.name("apply", kind, key))
    }

    /// A merge patch; null takes a member away.
    package func mergePatch<T: KubeResource>(
        _ type: T.Type, _ key: ObjectKey, _ patch: JSONValue, subresource: String? = nil, kind: ResourceKind? = nil
    ) async throws(KubeError) -> T {
        let kind = kind ?? T.kind
        return try await object(owned(.mergePatch(patch, kind, key, subresource: subresource)), "patch", kind, key)
    }

    /// A JSON patch; a failed test throws `invalid`.
    package func jsonPatch<T: KubeResource>(
        _ type: T.Type, _ key: ObjectKey, _ steps: [JSONPatchStep], subresource: String? = nil, kind: ResourceKind? = nil
    ) async throws(KubeError) -> T {
        let kind = kind ?? T.kind
        return try await object(owned(.jsonPatch(steps, kind, key, subresource: subresource)), "patch", kind, key)
    }

    /// Replaces the object as it was at its `resourceVersion`; throws `conflict` when it has changed since.
    package func replace<T: KubeResource>(
        _ object: T, subresource: String? = nil, kind: ResourceKind? = nil
    ) async throws(KubeError) -> T {
        let kind = kind ?? T.kind
        let request = KubeRequest.replace(object.json(as: kind), kind, object.key, subresource: subresource)
        return try await self.object(owned(request), "replace", kind, object.key)
    }

    /// Deletes the object, or only the very one with that `uid` or version. False where there was none.
    package func delete(
        _ kind: ResourceKind, _ key: ObjectKey, uid: String? = nil, resourceVersion: String? = nil,
        propagation: DeletePropagation = .background
    ) async throws(KubeError) -> Bool {
        let request = KubeRequest.delete(kind, key, uid: uid, resourceVersion: resourceVersion, propagation: propagation)
        do throws(KubeError) {
            _ = try await answer(to: request, named: Self.name("delete", kind, key))
            return true
        } catch .notFound {
            return false
        }
    }

    /// The last lines that a container wrote.
    package func log(
        pod: ObjectKey, container: String? = nil, tailLines: Int = 100, previous: Bool = false
    ) async throws(KubeError) -> String {
        let kind = Pod.kind
        var query = [KubeRequest.QueryItem("tailLines", String(tailLines))]
        if let container { query.append(KubeRequest.QueryItem("container", container)) }
        if previous { query.append(KubeRequest.QueryItem("previous", "true")) }
        let request = KubeRequest("GET", kind.path(pod, subresource: "log"), query: query)
        return String(decoding: try await answer(to: request, named: Self.name("get the log of", kind, pod)), as: UTF8.self)
    }

    /// How errors and logs call a request.
    static func name(_ verb: String, _ kind: ResourceKind, _ key: ObjectKey) -> String { "\(verb) \(kind) \(key)" }

    private func object<T: KubeResource>(
        _ request: KubeRequest, _ verb: String, _ kind: ResourceKind, _ key: ObjectKey
    ) async throws(KubeError) -> T {
        try await decoded(request, named: Self.name(verb, kind, key))
    }

    func decoded<T: JSONCodable>(_ request: KubeRequest, named name: String) async throws(KubeError) -> T {
        let body = try await answer(to: request, named: name)
        do throws(JSONError) {
            return try T.decode(json: body)
        } catch {
            throw .badAnswer(request: name, reason: "\(error)")
        }
    }

    private func pages<T: KubeResource>(
        _ kind: ResourceKind, _ namespace: String?, _ options: ListOptions
    ) async throws(KubeError) -> ResourceList<T> {
        let name = "list \(kind)" + (namespace.map { " in \($0)" } ?? "")
        var whole: ResourceList<T> = try await decoded(.list(kind, namespace: namespace, options), named: name)
        while !whole.metadata.continue.isEmpty {
            let next = KubeRequest.list(kind, namespace: namespace, options, continue: whole.metadata.continue)
            let page: ResourceList<T> = try await decoded(next, named: name)
            whole.items += page.items
            whole.metadata = page.metadata
        }
        return whole
    }

    /// A write that says whose it is.
    private func owned(_ request: KubeRequest) -> KubeRequest {
        var owned = request
        owned.query.append(KubeRequest.QueryItem("fieldManager", fieldManager))
        return owned
    }
}
