// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One call: what is sent, what has come back, and who waits for it.
final class UpstreamCall: LoopTimer, @unchecked Sendable {
    // SAFETY: handed to a loop before anything happens to it, and touched on that loop's thread only ever after.
    let path: String
    let metadata: WireHeaders
    /// When an answer comes too late.
    let latest: ContinuousClock.Instant
    let payload: Payload
    /// How much of `payload` nghttp2 has taken.
    var sent = 0

    private var continuation: UnsafeContinuation<Result<GRPCReply, UpstreamError>, Never>?
    private var pool: UpstreamPool?
    /// Where it waits for a stream, if it does.
    var queue: UpstreamLine?
    var connection: UpstreamConnection?
    var stream: Int32 = 0
    /// Where in its connection's output the request begins; nil until nghttp2 has written it.
    var writtenAt: Int?
    /// Where the connection keeps it.
    var place = 0

    private var httpStatus = 0
    private var headers = WireHeaders()
    private var trailers = WireHeaders()
    private var body: [UInt8] = []

    init(path: String, metadata: WireHeaders, message: ArraySlice<UInt8>, deadline: ContinuousClock.Instant) {
        self.path = path
        self.metadata = metadata
        latest = deadline
        payload = Payload(message: message)
    }

    func begin(_ continuation: UnsafeContinuation<Result<GRPCReply, UpstreamError>, Never>, in pool: UpstreamPool) {
        self.continuation = continuation
        self.pool = pool
        headers.reserve()
        pool.loop.plan(self, at: pool.loop.time(of: latest))
    }

    var isOver: Bool { continuation == nil }

    override func timeIsUp() { fail(.deadlineExceeded) }

    // MARK: The answer, as it comes

    func field(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, isTrailer: Bool) {
        guard let pool, !isOver else { return }
        if name.isSame(":status") {
            httpStatus = value.reduce(0) { $0 * 10 + Int($1 & 15) }
        } else if isTrailer {
            trailers.append(name: name, value: value)
        } else {
            headers.append(name: name, value: value)
        }
        if headers.size + trailers.size + body.count > pool.limits.responseBytes { tooLarge(pool) }
    }

    func data(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let pool, !isOver else { return }
        guard body.count + bytes.count <= pool.limits.responseBytes + GRPCFraming.prefix else { return tooLarge(pool) }
        let size = body.count + bytes.count
        if size > 16_384, size > body.capacity, let expected = GRPCFraming.expected(body), expected >= size {
            body.reserveCapacity(min(expected, pool.limits.responseBytes + GRPCFraming.prefix))
        }
        body.append(contentsOf: bytes)
    }

    private func tooLarge(_ pool: UpstreamPool) { fail(.tooLarge(limit: pool.limits.responseBytes)) }

    /// The answer is whole. A peer that answers before it has heard everything wants no more.
    func answered() {
        if sent < payload.count { ended(code: 0, wasRefused: false) }
    }

    /// The stream has ended; `code` is HTTP/2's.
    func ended(code: UInt32, wasRefused: Bool) {
        guard !isOver else { return }
        // A call that ends without a message has its status among the headers.
        if trailers.isEmpty, headers.contains("grpc-status") { swap(&headers, &trailers) }
        if let status = trailers.bytes(of: "grpc-status") {
            finish(reply(status))
        } else if wasRefused || writtenAt == nil {
            fail(.notSent("stream refused"))
        } else if code != 0 {
            fail(.lost("stream reset with code \(code)"))
        } else if httpStatus != 200 {
            fail(.refused(GRPCStatus(GRPCCode(httpStatus: httpStatus), "peer answered with HTTP status \(httpStatus)")))
        } else {
            fail(.lost("stream ended without grpc-status"))
        }
    }

    private func reply(_ status: ArraySlice<UInt8>) -> Result<GRPCReply, UpstreamError> {
        if status.elementsEqual(CollectionOfOne(UInt8(ascii: "0"))) {
            do throws(GRPCStatus) {
                return .success(GRPCReply(message: try GRPCFraming.message(in: body), metadata: headers, trailers: trailers))
            } catch {
                return .failure(.refused(error))
            }
        }
        let number = status.reduce(0) { ($0 * 10 + Int($1 & 15)) % 1000 }
        let message = trailers.bytes(of: "grpc-message").map(GRPCStatus.decode) ?? ""
        return .failure(.refused(GRPCStatus(GRPCCode(rawValue: number) ?? .unknown, message)))
    }

    // MARK: The end

    func fail(_ error: UpstreamError) { finish(.failure(error)) }

    /// Tells who waits, once. A stream that is still open is reset.
    private func finish(_ result: Result<GRPCReply, UpstreamError>) {
        guard let continuation, let pool else { return }
        self.continuation = nil
        self.pool = nil
        pool.loop.cancel(self)
        pool.counters.callsInFlight.count(-1)
        queue?.remove(self)
        connection?.abandon(self)
        continuation.resume(returning: result)
    }
}
