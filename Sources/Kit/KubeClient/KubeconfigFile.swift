// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore

/// A kubeconfig file as it is written.
struct KubeconfigFile: JSONRecord {
    var clusters: [NamedCluster] = []
    var users: [NamedUser] = []
    var contexts: [NamedContext] = []
    var currentContext = ""

    static let fields: JSONFields<KubeconfigFile> = [
        .init("clusters", \.clusters), .init("users", \.users), .init("contexts", \.contexts), .init("current-context", \.currentContext),
    ]

    struct NamedCluster: JSONRecord {
        var name = ""
        var cluster = ClusterEntry()
        static let fields: JSONFields<NamedCluster> = [.required("name", \.name), .init("cluster", \.cluster)]
    }

    struct NamedUser: JSONRecord {
        var name = ""
        var user = UserEntry()
        static let fields: JSONFields<NamedUser> = [.required("name", \.name), .init("user", \.user)]
    }

    struct NamedContext: JSONRecord {
        var name = ""
        var context = ContextEntry()
        static let fields: JSONFields<NamedContext> = [.required("name", \.name), .init("context", \.context)]
    }
}

struct ContextEntry: JSONRecord {
    var cluster = ""
    var user = ""
    var namespace = ""
    static let fields: JSONFields<ContextEntry> = [
        .init("cluster", \.cluster), .init("user", \.user), .init("namespace", \.namespace),
    ]
}

struct ClusterEntry: JSONRecord {
    var server = ""
    var ca = ""
    var caData: Base64?
    var skipVerify = false
    var proxyURL = ""
    var tlsServerName = ""
    static let fields: JSONFields<ClusterEntry> = [
        .init("server", \.server), .init("certificate-authority", \.ca), .init("certificate-authority-data", \.caData),
        .init("insecure-skip-tls-verify", \.skipVerify), .init("proxy-url", \.proxyURL), .init("tls-server-name", \.tlsServerName),
    ]

    /// What a credential plugin is told of the cluster that it is for.
    var told: JSONValue {
        var told: [String: JSONValue] = ["server": .string(server)]
        if let caData { told["certificate-authority-data"] = .string(caData.text) }
        if skipVerify { told["insecure-skip-tls-verify"] = true }
        return .object(told)
    }
}

struct UserEntry: JSONRecord {
    var certificate = ""
    var certificateData: Base64?
    var key = ""
    var keyData: Base64?
    var token = ""
    var tokenFile = ""
    var username = ""
    var password = ""
    var exec: ExecEntry?
    var authProvider: JSONValue?
    static let fields: JSONFields<UserEntry> = [
        .init("client-certificate", \.certificate), .init("client-certificate-data", \.certificateData), .init("client-key", \.key),
        .init("client-key-data", \.keyData), .init("token", \.token), .init("tokenFile", \.tokenFile), .init("username", \.username),
        .init("password", \.password), .init("exec", \.exec), .init("auth-provider", \.authProvider),
    ]
}

struct ExecEntry: JSONRecord {
    var apiVersion = ""
    var command = ""
    var args: [String] = []
    var env: [Variable] = []
    var provideClusterInfo = false
    static let fields: JSONFields<ExecEntry> = [
        .init("apiVersion", \.apiVersion), .required("command", \.command), .init("args", \.args), .init("env", \.env),
        .init("provideClusterInfo", \.provideClusterInfo),
    ]

    struct Variable: JSONRecord {
        var name = ""
        var value = ""
        static let fields: JSONFields<Variable> = [.init("name", \.name), .init("value", \.value)]
    }
}
