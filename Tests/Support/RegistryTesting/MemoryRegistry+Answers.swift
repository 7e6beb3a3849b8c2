// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Hashing
import JSON
import LoopbackTesting

/// What a path of the distribution API is about.
struct RegistryRoute {
    enum Kind { case manifest, blob, upload, tags }

    var repository: String
    var kind: Kind
    /// Tag, digest or upload.
    var name: String

    init?(_ request: LoopbackRequest) {
        let path = request.path
        guard path.hasPrefix("/v2/") else { return nil }
        let rest = path.dropFirst(4)
        for (word, kind) in [("/blobs/uploads/", Kind.upload), ("/blobs/", .blob), ("/manifests/", .manifest), ("/tags/", .tags)] {
            guard let range = rest.firstRange(of: word) else { continue }
            repository = String(rest[..<range.lowerBound])
            name = String(rest[range.upperBound...])
            self.kind = kind
            return
        }
        return nil
    }
}

extension MemoryRegistry.Store {
    /// The registry's own answer to a request that is let in.
    mutating func respond(to request: LoopbackRequest, at host: String) -> LoopbackAnswer {
        guard let route = RegistryRoute(request) else { return LoopbackAnswer(request.path == "/v2/" ? 200 : 404) }
        return switch (request.method, route.kind) {
        case ("GET", .blob), ("HEAD", .blob): giveBlob(route)
        case ("GET", .manifest): giveManifest(route, request)
        case ("HEAD", .manifest): habits.answersHead ? giveManifest(route, request) : LoopbackAnswer(405)
        case ("PUT", .manifest): takeManifest(route, request)
        case ("DELETE", .manifest): deleteManifest(route)
        case ("POST", .upload): openUpload(route, request, host)
        case ("PATCH", .upload): extendUpload(route, request, host)
        case ("PUT", .upload): closeUpload(route, request)
        case ("DELETE", .upload): LoopbackAnswer(uploads.removeValue(forKey: route.name) == nil ? 404 : 204)
        case ("GET", .tags): giveTags(route, request)
        default: .error(405, "UNSUPPORTED")
        }
    }

    private func giveBlob(_ route: RegistryRoute) -> LoopbackAnswer {
        guard let bytes = blobs[route.repository]?[route.name] else { return .error(404, "BLOB_UNKNOWN", "blob unknown to registry") }
        return LoopbackAnswer(
            200, headers: [("Content-Length", "\(bytes.count)"), ("Docker-Content-Digest", route.name)], pieces: [.bytes(bytes)])
    }

    private func giveManifest(_ route: RegistryRoute, _ request: LoopbackRequest) -> LoopbackAnswer {
        let digest = tags[route.repository]?[route.name] ?? route.name
        guard manifests[route.repository] != nil else { return .error(404, "NAME_UNKNOWN", "repository name not known to registry") }
        // As the real one does: a document that the client does not accept is unknown.
        guard let found = manifests[route.repository]?[digest], request.header("Accept")?.contains(found.type) ?? false else {
            return .error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        }
        let headers = [
            ("Content-Type", found.type), ("Docker-Content-Digest", digest), ("Content-Length", "\(found.bytes.count)"),
        ]
        return LoopbackAnswer(200, headers: headers, pieces: [.bytes(found.bytes)])
    }

    private mutating func takeManifest(_ route: RegistryRoute, _ request: LoopbackRequest) -> LoopbackAnswer {
        let digest = "sha256:" + SHA256.hex(of: request.body)
        if route.name.hasPrefix("sha256:"), route.name != digest { return .error(400, "DIGEST_INVALID") }
        guard let document = try? JSONValue.decode(json: request.body) else { return .error(400, "MANIFEST_INVALID") }
        let named = [document["config"]].compactMap(\.self) + (document["layers"]?.array ?? [])
        for blob in named {
            let name = blob["digest"]?.string ?? ""
            guard let bytes = blobs[route.repository]?[name] else { return .error(404, "MANIFEST_BLOB_UNKNOWN", name) }
            guard blob["size"]?.int == Int64(bytes.count) else { return .error(400, "SIZE_INVALID", name) }
        }
        manifests[route.repository, default: [:]][digest] = (request.header("Content-Type") ?? "", request.body)
        if !route.name.hasPrefix("sha256:") { tags[route.repository, default: [:]][route.name] = digest }
        return LoopbackAnswer(201, headers: [("Docker-Content-Digest", digest), ("Location", request.path)])
    }

    private mutating func deleteManifest(_ route: RegistryRoute) -> LoopbackAnswer {
        guard habits.deletes else { return .error(405, "UNSUPPORTED", "The operation is unsupported.") }
        guard manifests[route.repository]?.removeValue(forKey: route.name) != nil else { return .error(404, "MANIFEST_UNKNOWN") }
        tags[route.repository] = tags[route.repository]?.filter { $0.value != route.name }
        return LoopbackAnswer(202)
    }

    private mutating func openUpload(_ route: RegistryRoute, _ request: LoopbackRequest, _ host: String) -> LoopbackAnswer {
        let items = Dictionary(request.queryItems) { first, _ in first }
        if let digest = items["mount"], let source = items["from"], habits.mounts, let bytes = blobs[source]?[digest] {
            blobs[route.repository, default: [:]][digest] = bytes
            return LoopbackAnswer(201, headers: [("Docker-Content-Digest", digest)])
        }
        counter += 1
        let name = "upload-\(counter)"
        uploads[name] = (route.repository, [])
        return LoopbackAnswer(202, headers: [("Location", location(route, name, host))])
    }

    private mutating func extendUpload(_ route: RegistryRoute, _ request: LoopbackRequest, _ host: String) -> LoopbackAnswer {
        guard uploads[route.name]?.repository == route.repository else { return .error(404, "BLOB_UPLOAD_UNKNOWN") }
        uploads[route.name]?.bytes += request.body
        return LoopbackAnswer(202, headers: [("Location", location(route, route.name, host)), ("Range", "0-\(request.body.count)")])
    }

    private mutating func closeUpload(_ route: RegistryRoute, _ request: LoopbackRequest) -> LoopbackAnswer {
        guard let upload = uploads.removeValue(forKey: route.name) else { return .error(404, "BLOB_UPLOAD_UNKNOWN") }
        let bytes = upload.bytes + request.body
        let digest = "sha256:" + SHA256.hex(of: bytes)
        guard request.queryItems.contains(where: { $0 == ("digest", digest) }) else { return .error(400, "DIGEST_INVALID") }
        blobs[route.repository, default: [:]][digest] = bytes
        return LoopbackAnswer(201, headers: [("Docker-Content-Digest", digest)])
    }

    private func location(_ route: RegistryRoute, _ name: String, _ host: String) -> String {
        let path = "/v2/\(route.repository)/blobs/uploads/\(name)?_state=x"
        return habits.hasRelativeLocations ? path : "http://\(host)\(path)"
    }

    private func giveTags(_ route: RegistryRoute, _ request: LoopbackRequest) -> LoopbackAnswer {
        guard let all = tags[route.repository]?.keys.sorted() else { return .error(404, "NAME_UNKNOWN") }
        let last = request.queryItems.first { $0.0 == "last" }?.1 ?? ""
        let rest = all.filter { $0 > last }
        let page = rest.prefix(habits.pageSize)
        var answer = LoopbackAnswer.json(
            JSONValue.object(["name": .string(route.repository), "tags": .array(page.map { .string($0) })]).text)
        if page.count < rest.count, let end = page.last {
            answer.headers.append(("Link", "</v2/\(route.repository)/tags/list?last=\(end)&n=\(page.count)>; rel=\"next\""))
        }
        return answer
    }
}

extension JSONValue {
    fileprivate var text: String { String(decoding: json(), as: UTF8.self) }
}
