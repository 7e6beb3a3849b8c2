// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// A request to the API server, as a value: nothing is sent here.
package struct KubeRequest: Equatable, Sendable {
    package var method: String
    package var path: String
    package var query: [QueryItem] = []
    package var contentType: String?
    package var body: [UInt8]?

    /// A name and a value, not yet percent-encoded.
    package struct QueryItem: Equatable, Sendable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(_ method: String, _ path: String, query: [QueryItem] = [], contentType: String? = nil, body: [UInt8]? = nil) {
        self.method = method
        self.path = path
        self.query = query
        self.contentType = contentType
        self.body = body
    }

    /// Path and query, percent-encoded (RFC 3986).
    package var target: String {
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Which objects, and how many at a time.
package struct ListOptions: Hashable, Sendable {
    package var labelSelector: String?
    package var fieldSelector: String?
    /// Objects in a page.
    package var limit: Int

    package init(labels: String? = nil, fields: String? = nil, limit: Int = 500) {
        labelSelector = labels
        fieldSelector = fields
        self.limit = limit
    }

    var items: [KubeRequest.QueryItem] {
        [labelSelector.map { .init("labelSelector", $0) }, fieldSelector.map { .init("fieldSelector", $0) }].compactMap { $0 }
    }
}

/// What happens to the objects that a deleted one owns.
package enum DeletePropagation: String, Sendable { case background = "Background", foreground = "Foreground", orphan = "Orphan" }

extension KubeRequest {
    package static func get(_ kind: ResourceKind, _ key: ObjectKey) -> KubeRequest { KubeRequest("GET", kind.path(key)) }

    /// One page of a list. A consistent read: the answer is not older than the request.
    package static func list(
        _ kind: ResourceKind, namespace: String?, _ options: ListOptions, continue token: String = ""
    ) -> KubeRequest {
        var query = options.items + [QueryItem("limit", String(options.limit))]
        if !token.isEmpty { query.append(QueryItem("continue", token)) }
        return KubeRequest("GET", kind.path(namespace: namespace), query: query)
    }

    /// A watch from a version on, with bookmarks; the server ends it after `seconds`.
    package static func watch(
        _ kind: ResourceKind, namespace: String?, _ options: ListOptions, from resourceVersion: String, seconds: Int
    ) -> KubeRequest {
        let query =
            options.items + [
                QueryItem("watch", "1"), QueryItem("allowWatchBookmarks", "true"), QueryItem("resourceVersion", resourceVersion),
                QueryItem("timeoutSeconds", String(seconds)),
            ]
        return KubeRequest("GET", kind.path(namespace: namespace), query: query)
    }

    package static func create(_ json: [UInt8], _ kind: ResourceKind, namespace: String?) -> KubeRequest {
        KubeRequest("POST", kind.path(namespace: namespace), contentType: "application/json", body: json)
    }

    package static func replace(_ json: [UInt8], _ kind: ResourceKind, _ key: ObjectKey, subresource: String? = nil) -> KubeRequest {
        KubeRequest("PUT", kind.path(key, subresource: subresource), contentType: "application/json", body: json)
    }

    /// RFC 7396.
    package static func mergePatch(_ patch: JSONValue, _ kind: ResourceKind, _ key: ObjectKey, subresource: String? = nil) -> KubeRequest {
        KubeRequest("PATCH", kind.path(key, subresource: subresource), contentType: "application/merge-patch+json", body: patch.json())
    }

    /// RFC 6902.
    package static func jsonPatch(
        _ steps: [JSONPatchStep], _ kind: ResourceKind, _ key: ObjectKey, subresource: String? = nil
    ) -> KubeRequest {
        KubeRequest("PATCH", kind.path(key, subresource: subresource), contentType: "application/json-patch+json", body: steps.json())
    }

    /// Server-side apply (KEP-555). JSON is YAML, so the body is sent as it is.
    package static func apply(
        _ json: [UInt8], _ kind: ResourceKind, _ key: ObjectKey, manager: String, force: Bool, subresource: String? = nil
    ) -> KubeRequest {
        let query = [QueryItem("fieldManager", manager), QueryItem("force", force ? "true" : "false")]
        return KubeRequest(
            "PATCH", kind.path(key, subresource: subresource), query: query, contentType: "application/apply-patch+yaml", body: json)
    }

    /// A deletion; with `uid` or `resourceVersion` only of that very object.
    package static func delete(
        _ kind: ResourceKind, _ key: ObjectKey, uid: String? = nil, resourceVersion: String? = nil, propagation: DeletePropagation
    ) -> KubeRequest {
        var preconditions: [String: JSONValue] = [:]
        if let uid { preconditions["uid"] = .string(uid) }
        if let resourceVersion { preconditions["resourceVersion"] = .string(resourceVersion) }
        var options: [String: JSONValue] = [
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": .string(propagation.rawValue),
        ]
        if !preconditions.isEmpty { options["preconditions"] = .object(preconditions) }
        return KubeRequest("DELETE", kind.path(key), contentType: "application/json", body: JSONValue.object(options).json())
    }
}

/// One step of a JSON patch.
package struct JSONPatchStep: JSONRecord {
    package enum Operation: String, Sendable, JSONCodable { case test, add, remove, replace }
    package var op = Operation.test
    package var path = ""
    package var value: JSONValue?

    package init() {}
    package init(_ op: Operation, _ path: String, _ value: JSONValue? = nil) {
        self.op = op
        self.path = path
        self.value = value
    }

    package static let fields: JSONFields<JSONPatchStep> = [
        .required("op", \.op), .required("path", \.path), .init("value", \.value),
    ]
}
