// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Takes one streamed call: reads and sends messages, and returns how it ended; `.ok` when well.
package typealias GRPCStreaming = @Sendable (GRPCStream) async -> GRPCStatus

/// A call whose messages come and go one by one: client, server and bidirectional streams.
///
/// Bounded both ways: the caller's flow-control window stays shut while messages wait for `next`, and `send` waits while the caller
/// does not read. The task is cancelled, and both throw, when the caller leaves or the deadline passes. One task may read while
/// another sends; two must not do the same at once.
package final class GRPCStream: @unchecked Sendable {
    // SAFETY: `request` is constant; everything else is touched on the loop's thread: the session's calls come there, and `next`
    // and `send` go there first.

    /// Output that waits for the caller to read.
    static let backlog = 65_536

    /// The call's head, with its deadline; the body is empty.
    package let request: WireRequest
    /// Sent before the first message; changes after that come too late.
    package var metadata: WireHeaders = [:]
    /// Sent with the status at the end.
    package var trailers: WireHeaders = [:]

    let loop: WireLoop
    private let limits: WireLimits
    private let streaming: GRPCStreaming
    private weak var exchange: Exchange?
    private weak var session: HTTP2ServerSession?

    private var inbox = ByteQueue()
    /// Bytes that came and for which the caller's window has not been opened again.
    private var unread = 0
    private var isCallerThrough = false
    private var reader: UnsafeContinuation<Void, Never>?
    /// Why nothing can be read or sent any more.
    private var failure: GRPCStatus?

    private var outbox = ByteQueue()
    private let patience = Alarm()
    private var sender: UnsafeContinuation<Void, Never>?
    private(set) var hasHead = false
    private(set) var ending: GRPCStatus?

    init(_ exchange: Exchange, of session: HTTP2ServerSession, _ streaming: @escaping GRPCStreaming) {
        self.streaming = streaming
        request = exchange.request
        self.exchange = exchange
        self.session = session
        loop = session.connection.loop
        limits = session.connection.limits
        patience.action = { [unowned self] in callerDoesNotRead() }
    }

    /// The life of the call's task.
    func run() async -> GRPCStatus { await streaming(self) }

    /// The handler has returned.
    func finish(with status: GRPCStatus) {
        if let exchange { session?.finish(exchange, with: status) }
    }

    // MARK: The handler's side

    /// The caller's next message; nil when it has sent its last.
    ///
    /// Throws what the call should end with: `cancelled`, `resourceExhausted` for a message over `WireLimits.bodyBytes`,
    /// `unimplemented` for a compressed one, `internal` for a broken one.
    package func next() async throws(GRPCStatus) -> [UInt8]? {
        if loop.isCurrent { return try await take().get() }
        return try await withTaskExecutorPreference(loop) { await self.take() }.get()
    }

    /// Sends a message; waits while more than 64 KiB have not been read by the caller.
    package func send(_ message: [UInt8]) async throws(GRPCStatus) {
        if loop.isCurrent { return try await give(message).get() }
        try await withTaskExecutorPreference(loop) { await self.give(message) }.get()
    }

    private func take() async -> Result<[UInt8]?, GRPCStatus> {
        loop.assertCurrent()
        precondition(reader == nil, "two tasks read one gRPC stream")
        while true {
            if let failure { return .failure(failure) }
            do throws(GRPCStatus) {
                if let message = try firstMessage() { return .success(message) }
            } catch {
                return .failure(error)
            }
            if isCallerThrough {
                return inbox.isEmpty
                    ? .success(nil) : .failure(GRPCStatus(.internal, "the last message is cut off after \(inbox.count) bytes"))
            }
            if Task.isCancelled { return .failure(.goneAway) }
            await pause(\.reader)
        }
    }

    private func give(_ message: [UInt8]) async -> Result<Void, GRPCStatus> {
        loop.assertCurrent()
        precondition(sender == nil, "two tasks send to one gRPC stream")
        if let failure { return .failure(failure) }
        GRPCFraming.frame(message, into: &outbox)
        if let exchange, let session { session.hasOutput(exchange, self) }
        while outbox.count > Self.backlog {
            if let failure { return .failure(failure) }
            if Task.isCancelled { return .failure(.goneAway) }
            // Who reads nothing for as long as a whole request may take has forgotten us.
            loop.plan(patience, after: limits.requestTimeout.wholeNanoseconds)
            await pause(\.sender)
        }
        return .success(())
    }

    /// Sleeps until the session has news, or the task is cancelled.
    private func pause(_ place: ReferenceWritableKeyPath<GRPCStream, UnsafeContinuation<Void, Never>?>) async {
        await withTaskCancellationHandler {
            // Unsafe only in that forgetting to resume goes unnoticed: every session ends its exchanges, and so calls `fail`.
            await withUnsafeContinuation { self[keyPath: place] = $0 }
        } onCancel: {
            loop.post { self.wakeAll() }
        }
    }

    private func wakeAll() {
        wake(\.reader)
        wake(\.sender)
    }

    private func wake(_ place: ReferenceWritableKeyPath<GRPCStream, UnsafeContinuation<Void, Never>?>) {
        let waiting = self[keyPath: place]
        self[keyPath: place] = nil
        waiting?.resume()
    }

    // MARK: What comes in

    /// The length of the first message, once its prefix is there.
    private func firstLength() throws(GRPCStatus) -> Int? {
        guard inbox.count >= GRPCFraming.prefix else { return nil }
        try GRPCFraming.check(flag: inbox[0])
        let length = (1...4).reduce(0) { $0 << 8 | Int(inbox[$1]) }
        guard length <= limits.bodyBytes else { throw GRPCStatus(.resourceExhausted, "message over \(limits.bodyBytes) bytes") }
        return length
    }

    private func firstMessage() throws(GRPCStatus) -> [UInt8]? {
        guard let length = try firstLength(), inbox.count >= GRPCFraming.prefix + length else { return nil }
        let message = inbox.withBytes { Array($0[GRPCFraming.prefix..<(GRPCFraming.prefix + length)]) }
        inbox.drop(GRPCFraming.prefix + length)
        exchange?.hold(-(GRPCFraming.prefix + length))
        openWindow()
        return message
    }

    /// Bytes of messages, however cut; false when the server holds too much already.
    func received(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        // After the end the window stays shut: nobody reads what comes.
        guard failure == nil, ending == nil else { return true }
        unread += bytes.count
        inbox.append(bytes)
        guard exchange?.hold(bytes.count) == true else { return false }
        openWindow()
        wake(\.reader)
        return true
    }

    /// Lets the caller send more, unless a whole message waits already: the rest of one that is larger than the window has to come.
    private func openWindow() {
        guard unread > 0, let exchange, let session else { return }
        // A broken prefix is told by `next`; until then the caller has said enough.
        guard let wanted = try? firstLength() ?? limits.bodyBytes, inbox.count < GRPCFraming.prefix + wanted else { return }
        session.consumed(unread, of: exchange)
        unread = 0
    }

    func callerIsThrough() {
        isCallerThrough = true
        wake(\.reader)
    }

    // MARK: What goes out

    func headHasLeft() { hasHead = true }

    func end(_ status: GRPCStatus) { ending = status }

    /// Output that nghttp2 has not taken.
    var pending: Int { outbox.count }

    /// Fills nghttp2's buffer; the number of bytes.
    func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let count = min(buffer.count, outbox.count)
        outbox.withBytes { _ = buffer.update(fromContentsOf: $0[..<count]) }
        outbox.drop(count)
        if outbox.count <= Self.backlog, sender != nil {
            loop.cancel(patience)
            wake(\.sender)
        }
        return count
    }

    // MARK: The end

    private func callerDoesNotRead() {
        if let exchange, let session { session.isStuck(exchange) }
    }

    /// Nothing will be read or sent any more.
    func fail(_ status: GRPCStatus) {
        if failure == nil { failure = status }
        loop.cancel(patience)
        inbox.removeAll()
        outbox.removeAll()
        wakeAll()
    }
}

extension GRPCStatus {
    static let goneAway = GRPCStatus(.cancelled, "the call is over")
}
