// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// Sends HTTP requests over libcurl, all of them on one thread, many of them on one connection.
///
/// Requests to one host share HTTP/2 connections where the host speaks it, and kept HTTP/1.1 connections elsewhere.
/// What is long (watches) and what is short go through transports of their own, so that neither starves the other.
package final class CurlTransport: Sendable {
    private let loop: CurlLoop

    /// `name` is the thread's. Requests beyond `maxConnectionsPerHost` wait, which counts as idle time.
    package init(name: String, maxConnectionsPerHost: Int = 8, maxStreamsPerConnection: Int = 100) {
        loop = CurlLoop(maxConnectionsPerHost: maxConnectionsPerHost, maxStreamsPerConnection: maxStreamsPerConnection)
        loop.start(named: name)
    }

    deinit { shutdown() }

    /// Sends the request and returns when the head of the final answer is here.
    ///
    /// Throws `TransportError`, or what the request's own stream threw. Cancelling the task ends the transfer.
    package func send(_ request: TransportRequest) async throws -> TransportResponse {
        try request.check()
        let deadline = request.timeouts.whole.map { ContinuousClock.now + $0 }
        var current = request
        for _ in 0...max(0, request.maxRedirects) {
            let response = try await exchange(current, by: deadline)
            guard request.maxRedirects > 0,
                let next = try RedirectRules.next(after: response.status, location: response.header("Location"), to: current)
            else { return response }
            try await discard(response.body)
            current = next
        }
        throw TransportError.redirectRefused(
            host: WebAddress(current.url)?.host ?? "", reason: "wanted at most \(request.maxRedirects) redirects, found more")
    }

    /// Ends every transfer with `shutDown` and the thread with them; later requests fail at once.
    package func shutdown() { loop.submit(.stop) }

    /// Transfers under way, and how often the thread woke since it began.
    package var activity: (live: Int, wakeUps: Int) {
        (loop.liveCount.load(ordering: .relaxed), loop.wakeUps.load(ordering: .relaxed))
    }

    private func exchange(_ request: TransportRequest, by deadline: ContinuousClock.Instant?) async throws -> TransportResponse {
        guard let address = WebAddress(request.url) else {
            throw TransportError.invalidRequest("wanted an absolute http or https URL, found another")
        }
        let transfer = Transfer(request, to: address, deadline: deadline, on: loop)
        loop.submit(.start(transfer))
        return try await withTaskCancellationHandler {
            guard case .stream(_, let source) = request.body, let outflow = transfer.outflow else {
                return TransportResponse(try await transfer.head.value(), of: transfer)
            }
            return try await upload(source, through: outflow, of: transfer)
        } onCancel: {
            transfer.cancel()
        }
    }

    /// Feeds the body while the answer is awaited; an answer that refuses ends the feeding.
    private func upload(
        _ source: any AsyncSequence<[UInt8], any Error> & Sendable, through outflow: Outflow, of transfer: Transfer
    ) async throws -> TransportResponse {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await chunk in source {
                        guard await outflow.feed(chunk) else { return }
                    }
                    outflow.end()
                } catch  where !outflow.isClosed {
                    transfer.fail(Task.isCancelled ? TransportError.cancelled : error)
                } catch {
                    // The answer came first; nobody wants the rest, nor its error.
                }
            }
            let head: Transfer.Head
            do {
                head = try await transfer.head.value()
            } catch {
                group.cancelAll()
                throw error
            }
            if head.status >= 400 {
                outflow.close()
                group.cancelAll()
            }
            return TransportResponse(head, of: transfer)
        }
    }

    /// Reads a short rest, so that the connection can be kept; gives up on a long one.
    private func discard(_ body: ResponseBody) async throws {
        var passed = 0
        for try await chunk in body {
            passed += chunk.count
            if passed > 64 << 10 { return body.cancel() }
        }
    }
}

extension TransportResponse {
    fileprivate init(_ head: Transfer.Head, of transfer: Transfer) {
        self.init(status: head.status, headers: head.headers, body: ResponseBody(of: transfer))
    }
}
