// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Testing
import Transport

@testable import KubeClient

struct KubeconfigTests {
    private let text = """
        apiVersion: v1
        kind: Config
        current-context: dev
        contexts:
        - name: dev
          context: {cluster: one, user: alice, namespace: shop}
        - name: plain
          context: {cluster: two, user: robot}
        - name: anonymous
          context: {cluster: two}
        - name: plugin
          context: {cluster: one, user: plugin}
        - name: lost
          context: {cluster: nowhere}
        - name: proxied
          context: {cluster: proxied}
        clusters:
        - name: one
          cluster:
            server: https://10.0.0.1:6443/
            certificate-authority-data: Q0E=
        - name: two
          cluster: {server: "http://127.0.0.1:8080", certificate-authority: ca.crt, insecure-skip-tls-verify: true}
        - name: proxied
          cluster: {server: "https://a", proxy-url: "http://proxy"}
        users:
        - name: alice
          user: {client-certificate-data: Q0VSVA==, client-key: keys/alice.key}
        - name: robot
          user: {token: written, tokenFile: token}
        - name: plugin
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1beta1
              command: bin/login
              args: [a, b]
              env: [{name: X, value: "1"}]
              provideClusterInfo: true
              interactiveMode: Never
        """

    private func config(_ context: String? = nil) throws -> ClusterConfig {
        try Kubeconfig(text, path: "/etc/kube/config").config(context: context)
    }

    @Test func `the current context is taken, certificates inline or as files beside the kubeconfig`() throws {
        let config = try config()
        #expect(config.server == "https://10.0.0.1:6443")
        #expect(config.namespace == "shop")
        #expect(config.tls.ca == .bytes(Array("CA".utf8)))
        #expect(config.tls.clientCertificate == .bytes(Array("CERT".utf8)))
        #expect(config.tls.clientKey == .file("/etc/kube/keys/alice.key"))
        #expect(config.credentials == .none)
    }

    @Test func `a token file wins over a token, and paths are relative to the file`() throws {
        let config = try config("plain")
        #expect(config.credentials == .tokenFile("/etc/kube/token"))
        #expect(config.tls == TLSSettings(ca: .file("/etc/kube/ca.crt"), skipVerify: true))
        #expect(config.namespace == "default")
        #expect(try self.config("anonymous").credentials == .none)
    }

    @Test func `a plugin is told of the cluster where it asks for it`() throws {
        let expected = ExecPlugin(
            apiVersion: "client.authentication.k8s.io/v1beta1", command: "/etc/kube/bin/login", arguments: ["a", "b"],
            environment: ["X": "1"], cluster: ["server": "https://10.0.0.1:6443/", "certificate-authority-data": "Q0E="])
        #expect(try config("plugin").credentials == .exec(expected))
    }

    @Test(arguments: [
        ("absent", "absent"), ("lost", "nowhere"), ("proxied", "proxy-url"),
    ])
    func `what is missing is named`(context: String, word: String) throws {
        let error = #expect(throws: ClusterConfigError.self) { try config(context) }
        #expect(error?.description.contains(word) == true)
    }

    @Test func `of several files the earlier holds, and a missing one is passed over`() throws {
        let first = TemporaryFile("current-context: b\nclusters: [{name: one, cluster: {server: \"https://first\"}}]\n")
        let second = TemporaryFile(
            "current-context: c\nclusters: [{name: one, cluster: {server: \"https://second\"}}]\ncontexts: [{name: b, context: {cluster: one}}]\n"
        )
        let environment = ["KUBECONFIG": "/nonexistent:\(first.path):\(second.path)", "KUBERNETES_SERVICE_HOST": "10.0.0.1"]
        #expect(try ClusterConfig.detect(environment: environment).server == "https://first")
        #expect(throws: ClusterConfigError.self) { try ClusterConfig.kubeconfig(path: "/nonexistent") }
        #expect(throws: ClusterConfigError.self) { try Kubeconfig("clusters: 5") }
    }

    @Test func `outside a pod there is no account`() throws {
        #expect(throws: ClusterConfigError.self) { try ClusterConfig.inCluster(environment: [:]) }
        #expect(throws: ClusterConfigError.self) { try ClusterConfig.detect(environment: [:]) }
    }
}
