// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What a registry demands before it answers: the `WWW-Authenticate` header of a 401.
enum AuthChallenge: Equatable {
    case basic
    case bearer(realm: String, service: String?, scope: String?)

    /// The strongest challenge of a header that we can meet; nil where there is none.
    init?(parsing header: String) {
        guard let space = header.firstIndex(of: " ") ?? header.indices.last else { return nil }
        let scheme = header[...space].filter { $0 != " " }.lowercased()
        let parameters = AuthChallenge.parameters(header[space...].dropFirst())
        switch scheme {
        case "basic": self = .basic
        case "bearer":
            guard let realm = parameters["realm"] else { return nil }
            self = .bearer(realm: realm, service: parameters["service"], scope: parameters["scope"])
        default: return nil
        }
    }

    /// `name="value"` or `name=value`, divided by commas; quoted values may hold commas and escaped characters.
    private static func parameters(_ text: Substring) -> [String: String] {
        var found: [String: String] = [:]
        var rest = text[...]
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].filter { $0 != "," && $0 != " " }.lowercased()
            rest = rest[rest.index(after: equals)...]
            let value = rest.first == "\"" ? quoted(&rest) : token(&rest)
            found[name] = value
        }
        return found
    }

    private static func quoted(_ rest: inout Substring) -> String {
        var value = ""
        var isEscaped = false
        rest = rest.dropFirst()
        while let character = rest.popFirst() {
            if isEscaped {
                value.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                break
            } else {
                value.append(character)
            }
        }
        return value
    }

    private static func token(_ rest: inout Substring) -> String {
        let value = rest.prefix { $0 != "," && $0 != " " }
        rest = rest[value.endIndex...]
        return String(value)
    }
}

/// What may be done with a repository, in the words of token servers.
struct RegistryScope: Hashable {
    var name: String
    var actions: String

    static func pull(_ repository: Repository) -> RegistryScope { RegistryScope(name: repository.name, actions: "pull") }
    static func push(_ repository: Repository) -> RegistryScope { RegistryScope(name: repository.name, actions: "pull,push") }
    static func delete(_ repository: Repository) -> RegistryScope { RegistryScope(name: repository.name, actions: "delete") }

    var text: String { "repository:\(name):\(actions)" }
}
