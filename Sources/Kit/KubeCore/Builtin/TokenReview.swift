// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// A question to the API server: whose token is this? It is answered at once and kept nowhere.
package struct TokenReview: KubeResource {
    package static let kind = ResourceKind("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", isNamespaced: false)
    package var metadata = ObjectMeta()
    package var spec = Spec()
    package var status = Status()

    package init() {}
    package static let fields: JSONFields<TokenReview> = [.init("metadata", \.metadata), .init("spec", \.spec), .init("status", \.status)]

    package struct Spec: JSONRecord {
        package var token = ""
        /// For whom the token must be; empty for the API server itself.
        package var audiences: [String] = []
        package init() {}
        package static let fields: JSONFields<Spec> = [.init("token", \.token), .init("audiences", \.audiences)]
    }

    package struct Status: JSONRecord {
        package var authenticated = false
        package var user = User()
        package var audiences: [String] = []
        package var error = ""
        package init() {}
        package static let fields: JSONFields<Status> = [
            .init("authenticated", \.authenticated), .init("user", \.user), .init("audiences", \.audiences), .init("error", \.error),
        ]
    }

    package struct User: JSONRecord {
        package var username = ""
        package var groups: [String] = []
        package init() {}
        package static let fields: JSONFields<User> = [.init("username", \.username), .init("groups", \.groups)]
    }
}
