// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
import JSON
import Transport

/// One request to a registry, before it is known how to be let in.
struct RegistryCall {
    var method: String
    var url: String
    var repository: Repository
    var scopes: [RegistryScope]
    var headers: [Header] = []
    var body: RequestBody = .none
    var resource: RegistryResource
    /// What the request is about, for errors.
    var subject: String
    /// Whether sending it twice does no harm.
    var isRepeatable = true
    var timeouts = RegistrySettings.shortTimeouts
    var maxRedirects = 0

    var canBeSentAgain: Bool {
        if case .stream = body { false } else { true }
    }
}

/// Requests with authorization, retries and typed errors, for one set of credentials.
struct RegistrySession: Sendable {
    let transport: CurlTransport
    let settings: RegistrySettings
    let keychain: Keychain
    let auth: RegistryAuth

    /// Sends a request until it is answered with one of the wanted statuses, or there is no more hope.
    func send(_ call: RegistryCall, wanting wanted: Set<Int>) async throws(RegistryError) -> TransportResponse {
        var failures = 0
        while true {
            let failure: RegistryError
            var patience: Duration?
            do throws(RegistryError) {
                let response = try await exchange(call)
                if wanted.contains(response.status) { return response }
                patience = Self.retryAfter(response)
                failure = await refusal(response, of: call)
            } catch {
                failure = error
            }
            failures += 1
            guard call.isRepeatable, Self.mayPass(failure), failures < settings.attempts else { throw failure }
            try await pause(after: failures, asked: patience, because: failure)
        }
    }

    /// Waits before the next try; gives up at once where the registry wants more patience than there is.
    func pause(after failures: Int, asked: Duration? = nil, because failure: RegistryError) async throws(RegistryError) {
        if let asked, asked > settings.longestRetryAfter { throw failure }
        do {
            try await settings.clock.sleep(max(settings.wait(after: failures), asked ?? .zero))
        } catch {
            throw .cancelled
        }
    }

    /// Whether the same request may succeed a moment later.
    static func mayPass(_ failure: RegistryError) -> Bool {
        switch failure {
        case .unreachable: true
        case .refused(let refusal): [408, 429, 500, 502, 503, 504].contains(refusal.status)
        default: false
        }
    }

    /// One try; a demand for authorization is met once.
    private func exchange(_ call: RegistryCall) async throws(RegistryError) -> TransportResponse {
        let credential = keychain.credential(for: call.repository)
        let key = RegistryAuth.Key(host: call.repository.registry, credential: credential, scopes: call.scopes)
        let held = auth.header(for: key)
        let first = try await transmit(call, authorization: held)
        guard first.status == 401 else { return first }
        auth.forget(key)
        guard let demand = Self.challenge(of: first) else { return first }
        guard let fresh = try await authorization(for: demand, credential, key, call) else { return first }
        guard call.canBeSentAgain else {
            // The stream is spent; whoever made it makes another, and finds the fresh authorization.
            throw .unreachable(host: call.repository.registry, reason: "the authorization ran out before \(call.subject)")
        }
        // A body that is left unread would cost the connection; what it says is said again by the next refusal.
        _ = try? await first.collect(upTo: 65_536)
        return try await transmit(call, authorization: fresh)
    }

    private func transmit(_ call: RegistryCall, authorization: String?) async throws(RegistryError) -> TransportResponse {
        var request = TransportRequest(
            method: call.method, url: call.url, headers: call.headers, body: call.body, timeouts: call.timeouts, tls: settings.tls,
            maxRedirects: call.maxRedirects)
        // An upload's location on another host is good by itself; our credentials are not for that host.
        if let authorization, Self.host(of: call.url) == call.repository.host {
            request.headers.append(Header("Authorization", authorization))
        }
        return try await perform(request, at: call.repository.registry)
    }

    func perform(_ request: TransportRequest, at host: String) async throws(RegistryError) -> TransportResponse {
        do {
            return try await transport.send(request)
        } catch {
            throw RegistryError(error, at: host)
        }
    }

    private static func challenge(of response: TransportResponse) -> AuthChallenge? {
        let all = response.headers.filter { $0.name.lowercased() == "www-authenticate" }.compactMap { AuthChallenge(parsing: $0.value) }
        return all.first { $0 != .basic } ?? all.first
    }

    static func retryAfter(_ response: TransportResponse) -> Duration? {
        // The other form, a date, is so rare that the usual wait serves.
        response.header("Retry-After").flatMap { Int64($0) }.map { .seconds(max(0, $0)) }
    }

    static func host(of url: String) -> String {
        guard let start = url.firstRange(of: "://")?.upperBound else { return "" }
        return String(url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" })
    }

    /// Reads what the registry says about its refusal.
    private func refusal(_ response: TransportResponse, of call: RegistryCall) async -> RegistryError {
        // A refusal without readable words is still a refusal: the status says enough.
        let body = (try? await response.collect(upTo: 65_536)) ?? []
        let entry = (try? RegistryErrorBody.decode(json: body))?.errors.first
        let code = entry?.code.flatMap { RegistryErrorCode(rawValue: $0) }
        return .refused(
            RegistryError.Refusal(
                status: response.status, code: code ?? RegistryErrorCode(status: response.status, of: call.resource),
                message: String((entry?.message ?? "").prefix(300)), subject: call.subject, host: call.repository.registry))
    }
}

extension RegistrySession {
    /// Meets a demand: the header to send, kept for next time; nil where we have nothing to show.
    private func authorization(
        for demand: AuthChallenge, _ credential: RegistryCredential, _ key: RegistryAuth.Key, _ call: RegistryCall
    ) async throws(RegistryError) -> String? {
        switch demand {
        case .basic:
            guard let header = RegistryAuth.plainHeader(credential) else { return nil }
            auth.keep(header, for: key, lifetime: nil)
            return header
        case .bearer(let realm, let service, let scope):
            if case .registryToken = credential { return RegistryAuth.plainHeader(credential) }
            let scopes = call.scopes.isEmpty ? [scope].compactMap(\.self) : call.scopes.map(\.text)
            let request = try tokenRequest(realm, service, scopes, credential, at: call.repository.registry)
            let (token, lifetime) = try await token(request, call)
            auth.keep("Bearer " + token, for: key, lifetime: lifetime)
            return "Bearer " + token
        }
    }

    private func tokenRequest(
        _ realm: String, _ service: String?, _ scopes: [String], _ credential: RegistryCredential, at host: String
    ) throws(RegistryError) -> TransportRequest {
        // The registry names the place that gets our password: never one in the clear that nobody allowed.
        guard realm.hasPrefix("https://") || (realm.hasPrefix("http://") && settings.plainHTTP.contains(Self.host(of: realm))) else {
            throw .invalidAnswer(host: host, reason: "its token server \"\(Self.host(of: realm))\" is not on https")
        }
        var fields: [(String, String)] = []
        if let service { fields.append(("service", service)) }
        var request = TransportRequest(url: realm, timeouts: RegistrySettings.shortTimeouts, tls: settings.tls)
        if case .identityToken(let refresh) = credential {
            fields += [
                ("grant_type", "refresh_token"), ("client_id", "oci"), ("scope", scopes.joined(separator: " ")), ("refresh_token", refresh),
            ]
            request.method = "POST"
            request.headers = [Header("Content-Type", "application/x-www-form-urlencoded")]
            request.body = .bytes(Array(Self.encoded(fields).utf8))
            return request
        }
        fields += scopes.map { ("scope", $0) }
        request.url += (realm.contains("?") ? "&" : "?") + Self.encoded(fields)
        if let header = RegistryAuth.plainHeader(credential) { request.headers = [Header("Authorization", header)] }
        return request
    }

    private func token(_ request: TransportRequest, _ call: RegistryCall) async throws(RegistryError) -> (String, Duration) {
        let host = call.repository.registry
        let response = try await perform(request, at: Self.host(of: request.url))
        var asking = call
        asking.resource = .token
        asking.subject = "token for \(call.subject)"
        guard response.status == 200 else { throw await refusal(response, of: asking) }
        do {
            let answer = try TokenAnswer.decode(json: try await response.collect(upTo: 1 << 20))
            guard let token = answer.token ?? answer.accessToken, !token.isEmpty else {
                throw RegistryError.invalidAnswer(host: host, reason: "its token server gave no token")
            }
            // A minute is what the specification says of an answer that says nothing; more than a day nobody needs.
            return (token, .seconds(min(max(answer.expiresIn ?? 60, 1), 86_400)))
        } catch let error as JSONError {
            throw .invalidAnswer(host: host, reason: "its token server: \(error)")
        } catch {
            throw RegistryError(error, at: host)
        }
    }

    static func encoded(_ fields: [(String, String)]) -> String {
        let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/,")
        return fields.map { name, value in
            name + "=" + (value.addingPercentEncoding(withAllowedCharacters: plain) ?? "")
        }.joined(separator: "&")
    }
}

extension RegistryError {
    /// What went wrong on the way, seen from a request to `host`.
    init(_ error: any Error, at host: String) {
        switch error {
        case let error as RegistryError: self = error
        case TransportError.cancelled, is CancellationError: self = .cancelled
        case TransportError.tooLarge(let limit): self = .tooLarge("answer of more than \(limit) bytes from \(host)")
        case TransportError.invalidRequest(let reason), TransportError.redirectRefused(_, let reason):
            self = .invalidAnswer(host: host, reason: reason)
        case let error as TransportError: self = .unreachable(host: host, reason: "\(error)")
        default: self = .contentFailed("\(error)")
        }
    }
}
