// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CNghttp2

/// Owns an nghttp2 session: bytes in, callbacks, bytes out. Belongs to one thread, as all of a connection does.
final class HTTP2Engine {
    let session: OpaquePointer
    /// Bytes of all frames so far, the one that is being made not counted.
    private(set) var produced = 0
    private var staging = Outbox()
    private static let frameHead = 9

    /// Makes a session whose callbacks are handed `context`, which must outlive the engine.
    init?(isServer: Bool, context: UnsafeMutableRawPointer, callbacks install: (OpaquePointer) -> Void) {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { return nil }
        defer { nghttp2_session_callbacks_del(callbacks) }
        install(callbacks)
        var options: OpaquePointer?
        guard nghttp2_option_new(&options) == 0, let options else { return nil }
        defer { nghttp2_option_del(options) }
        // A server says itself when a caller may send more: for a stream, when its messages have been taken.
        nghttp2_option_set_no_auto_window_update(options, isServer ? 1 : 0)
        // Streams that have ended need not be remembered: nobody here asks for priorities.
        nghttp2_option_set_no_closed_streams(options, 1)
        var session: OpaquePointer?
        let code =
            isServer
            ? nghttp2_session_server_new2(&session, callbacks, context, options)
            : nghttp2_session_client_new2(&session, callbacks, context, options)
        guard code == 0, let session else { return nil }
        self.session = session
    }

    deinit { nghttp2_session_del(session) }

    /// Announces our settings, and a window for the whole connection that lets several streams fill theirs.
    func announce(_ settings: [(Int32, Int)], connectionWindow: Int32) {
        let entries = settings.map { nghttp2_settings_entry(settings_id: $0.0, value: UInt32(clamping: $0.1)) }
        nghttp2_submit_settings(session, 0, entries, entries.count)
        nghttp2_session_set_local_window_size(session, 0, 0, connectionWindow)
    }

    /// Takes what came in; false when the connection cannot go on.
    func receive(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        nghttp2_session_mem_recv(session, bytes.baseAddress, bytes.count) >= 0
    }

    /// Adds frames to the outbox until it is full; false when the connection cannot go on.
    func produce(into outbox: inout Outbox) -> Bool {
        // nghttp2 calls back for bodies, in its own good time, so the outbox lies here meanwhile.
        swap(&outbox, &staging)
        defer { swap(&outbox, &staging) }
        while !staging.isFull {
            var frame: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &frame)
            if count < 0 { return false }
            if count == 0 { break }
            staging.append(UnsafeBufferPointer(start: frame, count: count))
            produced += count
        }
        return true
    }

    /// Adds a DATA frame whose payload stays where it is: nghttp2's answer. Called from inside `produce`.
    func lend(_ head: UnsafePointer<UInt8>, _ payload: Payload, from start: Int, _ count: Int) -> Int32 {
        if staging.isFull { return Int32(NGHTTP2_ERR_WOULDBLOCK.rawValue) }
        staging.append(UnsafeBufferPointer(start: head, count: Self.frameHead))
        payload.lend(from: start, count, to: &staging)
        produced += Self.frameHead + count
        return 0
    }

    /// Says what of a body comes next: so many bytes, copied into nghttp2's buffer or, if it is worth that, lent later.
    static func next(
        of payload: Payload, from start: Int, lending: Bool, into buffer: UnsafeMutablePointer<UInt8>, room: Int, flags: inout UInt32
    ) -> Int {
        let count = min(room, payload.count - start)
        if start + count == payload.count { flags |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue) }
        if lending, count >= Outbox.smallestLoan {
            flags |= UInt32(NGHTTP2_DATA_FLAG_NO_COPY.rawValue)
        } else {
            payload.copy(from: start, count, into: buffer)
        }
        return count
    }

    /// Whether both sides are through with the connection.
    var isFinished: Bool { nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 }
}

extension nghttp2_frame_hd {
    var endsStream: Bool { flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 }
    var isHeaders: Bool { type == UInt8(NGHTTP2_HEADERS.rawValue) }
    var isData: Bool { type == UInt8(NGHTTP2_DATA.rawValue) }
}

extension Int32 {
    static var maxConcurrentStreams: Int32 { Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue) }
    static var initialWindowSize: Int32 { Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue) }
    static var maxHeaderListSize: Int32 { Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue) }
    static var enablePush: Int32 { Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue) }
}
