// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
package import KubeCore
package import Logging
import Synchronization
import Transport

/// Speaks to one Kubernetes API server: typed verbs, watches, and what the server can do.
///
/// Watches and short requests have a transport each, so that neither starves the other. A short request takes at most
/// 30 seconds, retries that the server asked for included. Cancelling the task ends the request.
package final class ClusterClient: Sendable {
    package let config: ClusterConfig
    /// The name under which this client owns fields.
    package let fieldManager: String
    let logger: Logger
    let clock: any Clock<Duration>
    /// From 0 up to 1: the jitter of waits.
    let draw: @Sendable () -> Double
    let discovery = Discovery()
    private let credentials: CredentialKeeper
    private let requests = CurlTransport(name: "kube-requests", maxConnectionsPerHost: 4)
    private let watches = CurlTransport(name: "kube-watches", maxConnectionsPerHost: 8, maxStreamsPerConnection: 250)

    static let patience = Duration.seconds(30)
    /// A page of 500 objects of the largest kind that is reasonable.
    static let answerLimit = 256 << 20

    package init(
        _ config: ClusterConfig, fieldManager: String = "kube-client", logger: Logger, clock: any Clock<Duration> = ContinuousClock(),
        draw: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.config = config
        self.fieldManager = fieldManager
        self.logger = logger
        self.clock = clock
        self.draw = draw
        credentials = CredentialKeeper(config.credentials)
    }

    /// Ends every request and watch.
    package func shutdown() {
        requests.shutdown()
        watches.shutdown()
    }

    /// The server's answer to a request, whatever its status is.
    package func raw(_ request: KubeRequest, limit: Int = 16 << 20) async throws(KubeError) -> (status: Int, body: [UInt8]) {
        let answer = try await send(request, named: "\(request.method.lowercased()) \(request.path)")
        do {
            return (answer.status, try await answer.collect(upTo: limit))
        } catch {
            throw .transport(request: request.path, error as? TransportError ?? .cancelled)
        }
    }

    /// The body of a successful answer; any other is thrown as what the server said.
    func answer(to request: KubeRequest, named name: String) async throws(KubeError) -> [UInt8] {
        let deadline = ContinuousClock.now + Self.patience
        var attempt = 1
        while true {
            let refusal: KubeError.Refusal
            do {
                let response = try await send(request, named: name, within: deadline - .now)
                let body = try await response.collect(upTo: Self.answerLimit)
                if (200..<300).contains(response.status) { return body }
                refusal = Self.refusal(response, body: body, to: name)
            } catch {
                throw Self.error(error, in: name)
            }
            // The server that says when to come back has not begun; so any verb may be sent again.
            guard let pause = refusal.retryAfter, [429, 503].contains(refusal.status.code), attempt < 6, .now + pause < deadline else {
                throw KubeError(refusal)
            }
            logger.debug("server asks to come back later", metadata: ["request": "\(name)", "seconds": "\(pause.components.seconds)"])
            attempt += 1
            do {
                try await clock.sleep(for: pause)
            } catch {
                throw .cancelled
            }
        }
    }

    /// Opens a watch: a body without an end of its own. Whatever is no watch is thrown.
    func open(_ request: KubeRequest, named name: String, within: Duration) async throws(KubeError) -> ResponseBody {
        let response = try await send(request, named: name, within: within, on: watches)
        if response.status == 200 { return response.body }
        do {
            throw KubeError(Self.refusal(response, body: try await response.collect(upTo: 1 << 20), to: name))
        } catch {
            throw Self.error(error, in: name)
        }
    }

    /// Sends the request as who we are; once more as who we are by then, when that was refused.
    private func send(
        _ request: KubeRequest, named name: String, within patience: Duration = patience, on transport: CurlTransport? = nil
    ) async throws(KubeError) -> TransportResponse {
        // A name that came from outside must not lead to another object.
        guard request.path.hasPrefix("/"), request.path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"?#%\\".utf8.contains($0) }),
            !request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().contains(where: {
                ["", ".", ".."].contains($0)
            })
        else { throw .transport(request: name, .invalidRequest("wanted names of objects in the path, found \"\(request.path)\"")) }
        var isSecond = false
        while true {
            let credential = try await credentials.current()
            let order = self.order(request, as: credential, within: patience)
            let response: TransportResponse
            do {
                response = try await (transport ?? requests).send(order)
            } catch {
                throw Self.error(error, in: name)
            }
            guard response.status == 401, !isSecond, credentials.refuse(credential) else { return response }
            isSecond = true
        }
    }

    private func order(_ request: KubeRequest, as credential: CredentialKeeper.Credential, within patience: Duration) -> TransportRequest {
        var order = TransportRequest(method: request.method, url: config.server + request.target, tls: config.tls)
        order.headers = [Header("Accept", "application/json"), Header("User-Agent", fieldManager)]
        if let type = request.contentType { order.headers.append(Header("Content-Type", type)) }
        if let authorization = credential.authorization { order.headers.append(Header("Authorization", authorization)) }
        if let certificate = credential.certificate {
            order.tls.clientCertificate = certificate
            order.tls.clientKey = credential.key
        }
        if let body = request.body { order.body = .bytes(body) }
        order.timeouts = Timeouts(whole: max(patience, .milliseconds(1)))
        return order
    }

    private static func error(_ error: any Error, in name: String) -> KubeError {
        switch error {
        case let error as KubeError: error
        case TransportError.cancelled: .cancelled
        case let error as TransportError: .transport(request: name, error)
        default: .cancelled
        }
    }

    private static func refusal(_ response: TransportResponse, body: [UInt8], to name: String) -> KubeError.Refusal {
        var status = APIStatus(code: response.status, reason: "", message: "")
        do throws(JSONError) {
            status = try APIStatus.decode(json: body)
            if status.code == 0 { status.code = response.status }
        } catch {
            // Not from the API server but from something before it; a piece of it helps to find out what.
            status.message = String(decoding: body.prefix(200), as: UTF8.self)
        }
        let seconds = response.header("Retry-After").flatMap { Int($0) } ?? status.details.retryAfterSeconds
        return KubeError.Refusal(request: name, status: status, retryAfter: seconds.map { .seconds(max(0, $0)) })
    }
}
