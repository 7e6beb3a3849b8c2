// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
package import LoopbackTesting

extension MemoryRegistry.Store {
    /// What a request is told that is not let in; nil for one that is. Also answers the token server's requests.
    mutating func refusal(of request: LoopbackRequest, at host: String) -> LoopbackAnswer? {
        let shown = request.header("Authorization")
        switch habits.entry {
        case .anyone: return nil
        case .basic(let user, let password):
            if shown == Self.basic(user, password) { return nil }
            return Self.unauthorized("Basic realm=\"registry\"")
        case .bearer(let user, let password, let lifetime):
            if request.path == "/token" { return token(request, user, password, lifetime) }
            guard let needed = Self.scope(of: request) else { return nil }
            if let shown, shown.hasPrefix("Bearer "), let granted = tokens[String(shown.dropFirst(7))],
                Self.covers(granted, needed)
            {
                return nil
            }
            return Self.unauthorized("Bearer realm=\"http://\(host)/token\",service=\"registry\",scope=\"\(needed)\"")
        }
    }

    private mutating func token(_ request: LoopbackRequest, _ user: String?, _ password: String, _ lifetime: Int) -> LoopbackAnswer {
        if let user, request.header("Authorization") != Self.basic(user, password) {
            return LoopbackAnswer.error(401, "UNAUTHORIZED", "who are you")
        }
        guard request.queryItems.contains(where: { $0 == ("service", "registry") }) else {
            return LoopbackAnswer.error(400, "UNSUPPORTED", "no service")
        }
        counter += 1
        let token = "token-\(counter)"
        tokens[token] = request.queryItems.filter { $0.0 == "scope" }.map(\.1)
        return .json("{\"token\":\"\(token)\",\"expires_in\":\(lifetime)}")
    }

    private static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    private static func unauthorized(_ challenge: String) -> LoopbackAnswer {
        var answer = LoopbackAnswer.error(401, "UNAUTHORIZED", "authentication required")
        answer.headers.append(("WWW-Authenticate", challenge))
        return answer
    }

    private static func scope(of request: LoopbackRequest) -> String? {
        guard let route = RegistryRoute(request) else { return nil }
        let action =
            switch request.method {
            case "GET", "HEAD": "pull"
            case "DELETE" where route.kind == .manifest: "delete"
            default: "pull,push"
            }
        return "repository:\(route.repository):\(action)"
    }

    private static func covers(_ granted: [String], _ needed: String) -> Bool {
        let wanted = needed.split(separator: ":", maxSplits: 2)
        return granted.contains { scope in
            let has = scope.split(separator: ":", maxSplits: 2)
            return has.count == 3 && has[1] == wanted[1]
                && Set(wanted[2].split(separator: ",")).isSubset(of: has[2].split(separator: ","))
        }
    }
}

extension LoopbackAnswer {
    /// A refusal in the specification's words.
    package static func error(_ status: Int, _ code: String, _ message: String = "") -> LoopbackAnswer {
        .json(status, "{\"errors\":[{\"code\":\"\(code)\",\"message\":\"\(message)\"}]}")
    }
}

extension LoopbackRequest {
    /// The query's fields, decoded.
    var queryItems: [(String, String)] {
        query.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1).map { $0.removingPercentEncoding ?? String($0) }
            return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
        }
    }
}
