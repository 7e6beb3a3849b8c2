// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CCurl

/// One request on its way, between the caller's task and the loop's thread.
final class Transfer: @unchecked Sendable {
    // SAFETY: the properties under "loop's thread" are touched on that thread alone, by the loop and by curl's
    // callbacks, which curl makes from within the loop's own calls. Everything else is constant and Sendable.

    /// What arrived before the body.
    struct Head: Sendable {
        var status: Int
        var headers: [Header]
    }

    let request: TransportRequest
    let address: WebAddress
    /// When the whole of it has to be over.
    let deadline: ContinuousClock.Instant?
    let head = Once<Head>()
    let inflow: Inflow
    let outflow: Outflow?
    private let loop: CurlLoop

    // Loop's thread.
    var handle: UnsafeMutableRawPointer?
    var lines: UnsafeMutablePointer<curl_slist>?
    var headers: [Header] = []
    var hasHead = false
    var isReceivePaused = false
    var isSendPaused = false
    var sent = 0
    var lastByte = ContinuousClock.now
    let complaint = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    init(_ request: TransportRequest, to address: WebAddress, deadline: ContinuousClock.Instant?, on loop: CurlLoop) {
        self.request = request
        self.address = address
        self.deadline = deadline
        self.loop = loop
        let signal = Signal(loop: loop)
        inflow = Inflow(bound: 256 << 10) { signal.send { .resumeReceiving($0) } }
        if case .stream = request.body {
            outflow = Outflow(bound: 256 << 10) { signal.send { .resumeSending($0) } }
        } else {
            outflow = nil
        }
        complaint.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        signal.transfer = self
    }

    deinit { complaint.deallocate() }

    /// Ends it now, as if its caller had been cancelled. Harmless when it is over.
    func cancel() { loop.submit(.finish(self, TransportError.cancelled)) }

    /// Ends it with an error of ours.
    func fail(_ error: any Error) {
        loop.submit(.finish(self, error))
    }

    /// When patience ends, and which; nil where it never does. Asked on the loop's thread.
    func expiry(at now: ContinuousClock.Instant) -> (at: ContinuousClock.Instant, error: TransportError)? {
        let whole = deadline.map { at in
            (at: at, error: TransportError.timedOut(.whole, host: address.host, after: request.timeouts.whole ?? .zero))
        }
        guard let patience = request.timeouts.idle else { return whole }
        // While our own side is the slow one, the peer is not idle.
        if isReceivePaused || isSendPaused { lastByte = now }
        let idle = (at: lastByte + patience, error: TransportError.timedOut(.idle, host: address.host, after: patience))
        guard let whole, whole.at < idle.at else { return idle }
        return whole
    }

    /// Lets the flows wake the loop for a transfer that owns them.
    private final class Signal: @unchecked Sendable {
        // SAFETY: `transfer` is set once, before anybody else can see the flows.
        weak var transfer: Transfer?
        private let loop: CurlLoop

        init(loop: CurlLoop) { self.loop = loop }

        func send(_ command: (Transfer) -> CurlLoop.Command) {
            if let transfer { loop.submit(command(transfer)) }
        }
    }
}

/// What curl tells and asks while it works on a transfer. Loop's thread.
extension Transfer {
    /// One line of a head: the response's, an interim one's, or a trailer.
    func receiveHeader(_ bytes: UnsafeRawBufferPointer) {
        lastByte = .now
        guard !hasHead else { return }
        let end = bytes.lastIndex { $0 != 13 && $0 != 10 }.map { $0 + 1 } ?? 0
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            headers = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append(Header(String(line[..<colon]), String(value)))
        } else if line.isEmpty {
            var status = 0
            ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
            guard status >= 200 else { return }
            hasHead = true
            head.settle(.success(Head(status: status, headers: headers)))
        }
    }

    /// Bytes of the body; answers as curl's write callback has to.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastByte = .now
        guard inflow.offer(bytes) == .taken else {
            isReceivePaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        return bytes.count
    }

    /// Fills the room with bytes of the request's body; answers as curl's read callback has to.
    func supply(_ room: UnsafeMutableRawBufferPointer) -> Int {
        lastByte = .now
        if case .bytes(let bytes) = request.payload {
            let count = min(room.count, bytes.count - sent)
            bytes.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sent..<sent + count])) }
            sent += count
            return count
        }
        switch outflow?.draw(into: room) {
        case .bytes(let count): return count
        case .end: return 0
        case .starved:
            isSendPaused = true
            return Int(CURL_READFUNC_PAUSE)
        case .broken, nil: return Int(CURL_READFUNC_ABORT)
        }
    }

    /// Goes back in the request's body, when curl sends it again on another connection.
    func rewind(to offset: Int) -> Bool {
        if case .bytes(let bytes) = request.payload, (0...bytes.count).contains(offset) {
            sent = offset
            return true
        }
        return offset == 0 && outflow?.isUntouched == true
    }

    /// How curl's code reads as one of ours.
    func error(for code: CURLcode) -> TransportError {
        let told = String(cString: complaint)
        let reason = told.isEmpty ? String(cString: curl_easy_strerror(code)) : told
        let host = address.host
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .invalidRequest(reason)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_PROXY:
            return .connectFailed(host: host, reason: reason)
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT, CURLE_SSL_ENGINE_NOTFOUND:
            return .tlsFailed(host: host, reason: reason)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut(.connect, host: host, after: request.timeouts.connect)
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM,
            CURLE_SEND_FAIL_REWIND:
            return .cut(host: host, reason: reason)
        default: return .failed(host: host, reason: "\(reason) (curl error \(code.rawValue))")
        }
    }
}
