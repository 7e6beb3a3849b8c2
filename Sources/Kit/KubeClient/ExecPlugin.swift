// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
package import JSON
import KubeCore

/// A program that gives credentials: the exec protocol of `client.authentication.k8s.io`.
package struct ExecPlugin: Equatable, Sendable {
    package var apiVersion: String
    package var command: String
    package var arguments: [String]
    /// Added to our own environment.
    package var environment: [String: String]
    /// What it is told of the cluster, where it asks for that.
    package var cluster: JSONValue?
    package var deadline: Duration

    package init(
        apiVersion: String, command: String, arguments: [String] = [], environment: [String: String] = [:], cluster: JSONValue? = nil,
        deadline: Duration = .seconds(30)
    ) {
        self.apiVersion = apiVersion
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.cluster = cluster
        self.deadline = deadline
    }

    /// What the program answered.
    struct Answer: JSONRecord {
        var status = Status()
        static let fields: JSONFields<Answer> = [.required("status", \.status)]

        struct Status: JSONRecord {
            var token: String?
            var certificate: String?
            var key: String?
            var expires: Timestamp?
            static let fields: JSONFields<Status> = [
                .init("token", \.token), .init("clientCertificateData", \.certificate), .init("clientKeyData", \.key),
                .init("expirationTimestamp", \.expires),
            ]
        }
    }

    /// Runs the program and reads its answer. Blocks no thread but one of its own.
    func run() async throws(KubeError) -> Answer.Status {
        let told: [String: JSONValue] = ["interactive": false].merging(cluster.map { ["cluster": $0] } ?? [:]) { $1 }
        let request: JSONValue = ["apiVersion": .string(apiVersion), "kind": "ExecCredential", "spec": .object(told)]
        var variables = environment
        variables["KUBERNETES_EXEC_INFO"] = String(decoding: request.json(), as: UTF8.self)
        let child = ChildProgram(command: command, arguments: arguments, environment: variables, deadline: deadline)
        let output: [UInt8]
        do {
            output = try await child.output()
        } catch {
            throw .noCredentials("\(error)")
        }
        do throws(JSONError) {
            let status = try Answer.decode(json: output).status
            guard status.token != nil || status.certificate != nil else {
                throw JSONError("wanted a token or a certificate, found neither", path: "status")
            }
            return status
        } catch {
            // Never what it printed: that may be a token.
            throw .noCredentials("wanted an ExecCredential from \(command), found: \(error)")
        }
    }
}
