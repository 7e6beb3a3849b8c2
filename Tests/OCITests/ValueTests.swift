// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Testing

@testable import OCI

struct ValueTests {
    static let hex = String(repeating: "0a", count: 32)

    @Test(arguments: [
        ("python", "docker.io/library/python:latest"),
        ("python:3.11", "docker.io/library/python:3.11"),
        ("team/app", "docker.io/team/app:latest"),
        ("index.docker.io/team/app:1", "docker.io/team/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:v1", "localhost:5000/app:v1"),
        ("registry.example/a/b_c/d--e.f:v_1.2-x", "registry.example/a/b_c/d--e.f:v_1.2-x"),
        ("10.0.0.2:5000/a@sha256:\(hex)", "10.0.0.2:5000/a@sha256:\(hex)"),
        ("10.0.0.2:5000/a:b@sha256:\(hex)", "10.0.0.2:5000/a:b@sha256:\(hex)"),
        ("[::1]:5000/a", "[::1]:5000/a:latest"),
    ])
    func `references read as people write them`(text: String, whole: String) throws {
        let reference = try ImageReference(parsing: text)
        #expect("\(reference)" == whole)
        #expect(try ImageReference(parsing: whole) == reference)
    }

    @Test(arguments: [
        "", ":tag", "registry.example/", "registry.example/Upper", "a//b", "a/../b", "a/_b", "a___b", "registry.example/a:.x",
        "registry.example:port/a", "registry.example:70000/a", "a@sha256:12", "a@md5:\(hex)", "a@sha256:\(hex.uppercased())",
        "user@registry.example/a", "registry.example/a:\(String(repeating: "x", count: 129))", "a b", "a?b", "a/-", "[::1/a", "[zz]/a",
    ])
    func `what is no reference says so`(text: String) {
        #expect(throws: ReferenceError.self) { try ImageReference(parsing: text) }
    }

    @Test func `Docker Hub answers at another name`() throws {
        #expect(try ImageReference(parsing: "python").repository.host == "registry-1.docker.io")
        #expect(try ImageReference(parsing: "registry.example:5000/a").repository.host == "registry.example:5000")
    }

    @Test func `a configuration keeps what it does not understand`() throws {
        let text = """
            {"architecture":"amd64","os":"linux","x":{"y":[1,2.5,null]},"config":{"Env":["A=b"],"Labels":{"a":"1"},"User":"65532","Z":true},
            "rootfs":{"type":"layers","diff_ids":["sha256:one"]},"history":[{"created_by":"base"}]}
            """
        var config = try ImageConfig(json: Array(text.utf8))
        config.labels["b"] = "2"
        config.append(diffID: Digest(of: []), createdBy: "me")
        let back = try JSONValue.decode(json: config.json())
        #expect(back["x"] == ["y": [1, 2.5, nil]])
        #expect(back["config"] == ["Env": ["A=b"], "Labels": ["a": "1", "b": "2"], "User": "65532", "Z": true])
        #expect(back["rootfs"]?["diff_ids"] == ["sha256:one", .string("\(Digest(of: []))")])
        #expect(back["history"] == [["created_by": "base"], ["created_by": "me"]])
        #expect(config.platform == .linuxAMD64)
        #expect(config.user == "65532" && config.environment == ["A=b"])
    }

    @Test func `history stays away where the layers below have none`() throws {
        var config = try ImageConfig(json: Array("{\"rootfs\":{\"diff_ids\":[\"sha256:one\"]}}".utf8))
        config.append(diffID: Digest(of: []), createdBy: "me")
        #expect(try JSONValue.decode(json: config.json())["history"] == nil)
    }

    @Test(arguments: ["[]", "{}", "{\"rootfs\":{\"diff_ids\":[1]}}", "{"])
    func `what is no configuration is refused`(text: String) {
        #expect(throws: JSONError.self) { try ImageConfig(json: Array(text.utf8)) }
    }

    @Test func `manifests are told from indexes by type, header or content`() throws {
        let image = "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:\(Self.hex)\",\"size\":2},\"layers\":[]}"
        let index = "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"m\",\"digest\":\"sha256:\(Self.hex)\",\"size\":2}]}"
        func isIndex(_ text: String, _ type: String?) throws -> Bool {
            if case .index = try FetchedManifest(bytes: Array(text.utf8), contentType: type).document { true } else { false }
        }
        #expect(try !isIndex(image, MediaType.dockerManifest))
        #expect(try isIndex(index, MediaType.dockerList + "; charset=utf-8"))
        #expect(try isIndex(index, nil))
        #expect(try !isIndex(image, nil))
        #expect(throws: JSONError.self) { try isIndex("{}", nil) }
    }

    @Test func `sizes that a stranger claims break nothing`() throws {
        let blob = { (size: Int64) in Descriptor(mediaType: "m", digest: Digest(of: []), size: size) }
        #expect(Manifest(config: blob(1), layers: [blob(.max), blob(.max)]).layerSize == .max)
        #expect(throws: JSONError.self) {
            try FetchedManifest(bytes: Manifest(config: blob(1), layers: [blob(-1)]).json(), contentType: nil)
        }
    }

    @Test func `an index gives the image of the platform, whatever its variant unless asked`() {
        var index = ImageIndex()
        index.manifests = [
            Descriptor(
                mediaType: "m", digest: Digest(of: [1]), size: 1, platform: Platform(os: "linux", architecture: "arm64", variant: "v8")),
            Descriptor(mediaType: "m", digest: Digest(of: [2]), size: 1),
            Descriptor(mediaType: "m", digest: Digest(of: [3]), size: 1, platform: .linuxAMD64),
        ]
        #expect(index.manifest(for: .linuxAMD64)?.digest == Digest(of: [3]))
        #expect(index.manifest(for: Platform(os: "linux", architecture: "arm64"))?.digest == Digest(of: [1]))
        #expect(index.manifest(for: Platform(os: "linux", architecture: "arm64", variant: "v7")) == nil)
    }
}

struct KeychainTests {
    private func credential(_ reference: String, _ json: String) throws -> RegistryCredential {
        try Keychain(dockerConfig: Array(json.utf8)).credential(for: try ImageReference(parsing: reference).repository)
    }

    @Test func `credentials come from auth, from user and password, and from tokens`() throws {
        let json = """
            {"auths":{"https://one.example/v2/":{"auth":"bWU6c2U6Y3JldA=="},"two.example:5000":{"username":"me","password":"x","email":"e"},
            "three.example":{"identitytoken":"id","auth":"bWU6eA=="},"four.example":{"registrytoken":"rt"},"five.example":{}}}
            """
        #expect(try credential("one.example/a", json) == .basic(user: "me", password: "se:cret"))
        #expect(try credential("two.example:5000/a", json) == .basic(user: "me", password: "x"))
        #expect(try credential("two.example/a", json) == .anonymous)
        #expect(try credential("three.example/a", json) == .identityToken("id"))
        #expect(try credential("four.example/a", json) == .registryToken("rt"))
        #expect(try credential("five.example/a", json) == .anonymous)
    }

    @Test func `the longest key that fits wins, and stars stand for parts of labels`() throws {
        let json = """
            {"auths":{"r.example":{"username":"host"},"r.example/team":{"username":"team"},"*.wide.example":{"username":"wide"},
            "https://index.docker.io/v1/":{"username":"hub"}}}
            """
        #expect(try credential("r.example/other/a", json) == .basic(user: "host", password: ""))
        #expect(try credential("r.example/team/a", json) == .basic(user: "team", password: ""))
        #expect(try credential("r.example/teams/a", json) == .basic(user: "host", password: ""))
        #expect(try credential("eu.wide.example/a", json) == .basic(user: "wide", password: ""))
        #expect(try credential("a.b.wide.example/a", json) == .anonymous)
        #expect(try credential("python", json) == .basic(user: "hub", password: ""))
    }

    @Test func `the old form without auths reads, and a later credential wins`() throws {
        var keychain = try Keychain(dockerConfig: Array("{\"r.example\":{\"username\":\"old\"}}".utf8))
        keychain.add("https://r.example", .basic(user: "new", password: ""))
        #expect(keychain.credential(for: try Repository(registry: "r.example", name: "a")) == .basic(user: "new", password: ""))
    }

    @Test(arguments: ["{\"auths\":{\"r\":{\"auth\":\"c2VjcmV0\"}}}", "{\"auths\":{\"r\":{\"auth\":\"%%secret\"}}}"])
    func `a broken auth names its place and not its content`(json: String) {
        #expect {
            try Keychain(dockerConfig: Array(json.utf8))
        } throws: { error in
            "\(error)".hasPrefix("auths.r.auth: wanted base64 of user:password") && !"\(error)".contains("secret")
        }
    }

    @Test func `demands for authorization are read with commas and quotes in values`() {
        let header = "Bearer realm=\"https://auth.example/token\",service=\"r\\\"x\", scope=\"repository:a/b:pull,push\""
        #expect(
            AuthChallenge(parsing: header)
                == .bearer(realm: "https://auth.example/token", service: "r\"x", scope: "repository:a/b:pull,push"))
        #expect(AuthChallenge(parsing: "Bearer realm=https://x,service=y") == .bearer(realm: "https://x", service: "y", scope: nil))
        #expect(AuthChallenge(parsing: "basic realm=\"x\"") == .basic)
        #expect(AuthChallenge(parsing: "Bearer service=y") == nil)
        #expect(AuthChallenge(parsing: "Negotiate") == nil)
        #expect(AuthChallenge(parsing: "") == nil)
    }
}
