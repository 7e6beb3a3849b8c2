// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import LoopbackTesting
import Synchronization
import Testing
import Transport

@testable import KubeClient

struct CredentialTests {
    private let key = ObjectKey("shop", "a")

    private func wants(_ authorization: String?, _ answer: LoopbackAnswer) -> Scenario.Step {
        .init(
            "GET", "\(maps)/a",
            check: { $0.header("Authorization") == authorization ? nil : "found \($0.header("Authorization") ?? "none")" }, answer)
    }

    @Test func `a token and a password are sent as they are`() async throws {
        let answer = LoopbackAnswer.json(configMap("a"))
        try await withCluster(credentials: .token("t"), Scenario([wants("Bearer t", answer)])) { client in
            _ = try await client.get(ConfigMap.self, key)
        }
        try await withCluster(credentials: .basic(user: "u", password: "p"), Scenario([wants("Basic dTpw", answer)])) { client in
            _ = try await client.get(ConfigMap.self, key)
        }
    }

    @Test func `a refused token file is read again, once`() async throws {
        let file = TemporaryFile("old\n")
        let scenario = Scenario([
            wants("Bearer old", .json(configMap("a"))), wants("Bearer old", status(401, "Unauthorized")),
            wants("Bearer new", .json(configMap("a"))), wants("Bearer new", status(401, "Unauthorized")),
            wants("Bearer new", status(401, "Unauthorized")),
        ])
        try await withCluster(credentials: .tokenFile(file.path), scenario) { client in
            _ = try await client.get(ConfigMap.self, key)
            file.write("new")
            _ = try await client.get(ConfigMap.self, key)
            let error = await failure { _ = try await client.get(ConfigMap.self, key) }
            guard case .unauthorized = error else { throw error ?? .cancelled }
        }
    }

    @Test func `a fixed token that is refused is not tried twice`() async throws {
        try await withCluster(credentials: .token("t"), Scenario([wants("Bearer t", status(401, "Unauthorized"))])) { client in
            let error = await failure { _ = try await client.get(ConfigMap.self, key) }
            guard case .unauthorized = error else { throw error ?? .cancelled }
        }
    }

    @Test func `a missing token file is said and may come later`() async throws {
        try await withCluster(credentials: .tokenFile("/nonexistent/token"), Scenario([])) { client in
            let error = await failure { _ = try await client.get(ConfigMap.self, key) }
            #expect(error?.isTransient == true)
            #expect(error?.description.contains("/nonexistent/token") == true)
        }
    }

    private func plugin(_ script: String, deadline: Duration = .seconds(20)) -> (ExecPlugin, TemporaryFile) {
        let file = TemporaryFile("#!/bin/sh\n\(script)\n")
        let plugin = ExecPlugin(
            apiVersion: "client.authentication.k8s.io/v1", command: "/bin/sh", arguments: [file.path, "argument"],
            environment: ["EXTRA": "added"], deadline: deadline)
        return (plugin, file)
    }

    @Test func `a plugin is told what it needs and its answer is kept until it expires`() async throws {
        let runs = TemporaryFile("")
        let (plugin, _file) = plugin(
            """
            echo run >> \(runs.path)
            [ "$1 $EXTRA" = "argument added" ] || exit 3
            case "$KUBERNETES_EXEC_INFO" in *client.authentication.k8s.io/v1*ExecCredential*) ;; *) exit 4;; esac
            n=$(wc -l < \(runs.path))
            echo '{"status":{"token":"t'$n'","expirationTimestamp":"2030-01-01T00:00:00Z"}}'
            """)
        let start = try #require(Timestamp("2029-12-31T23:00:00Z"))
        let now = Mutex(start)
        let keeper = CredentialKeeper(.exec(plugin)) { now.withLock { $0 } }
        try await withThrowingTaskGroup(of: CredentialKeeper.Credential.self) { group in
            for _ in 0..<8 { group.addTask { try await keeper.current() } }
            for try await credential in group { #expect(credential.authorization == "Bearer t1") }
        }
        now.withLock { $0 = start + .seconds(3595) }
        let renewed = try await keeper.current()
        #expect(renewed.authorization == "Bearer t2")
        _ = _file
    }

    @Test func `a plugin may give a certificate`() async throws {
        let (plugin, _file) = plugin(#"echo '{"status":{"clientCertificateData":"C","clientKeyData":"K"}}'"#)
        let credential = try await CredentialKeeper(.exec(plugin)).current()
        #expect(credential == .init(authorization: nil, certificate: .bytes([67]), key: .bytes([75])))
        _ = _file
    }

    @Test(arguments: ["exit 7", "echo secret-token", "echo '{\"status\":{}}'", "kill -9 $$"])
    func `a plugin that fails says how, and never what it printed`(script: String) async throws {
        let (plugin, _file) = plugin(script)
        let error = await failure { _ = try await CredentialKeeper(.exec(plugin)).current() }
        #expect(error?.description.contains("/bin/sh") == true)
        #expect(error?.description.contains("secret") == false)
        _ = _file
    }

    @Test(arguments: ["sleep 600", "exec >&-; sleep 600"]) func `a plugin that hangs is ended with its children`(script: String)
        async throws
    {
        let (plugin, _file) = plugin(script, deadline: .milliseconds(300))
        let started = ContinuousClock.now
        let error = await failure { _ = try await CredentialKeeper(.exec(plugin)).current() }
        #expect(error?.description.contains("within") == true)
        #expect(started.duration(to: .now) < .seconds(60))
        _ = _file
    }
}
