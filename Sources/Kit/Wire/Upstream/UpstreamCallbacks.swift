// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CNghttp2
import Glibc

/// What nghttp2 calls back for an upstream connection. The session's context is the `UpstreamConnection`, a stream's is its
/// `UpstreamCall`; the connection holds both for as long as nghttp2 knows them.
enum UpstreamCallbacks {
    static func install(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_before_frame_send_callback(callbacks) { engine, frame, context in
            guard let header = frame?.pointee.hd, header.isHeaders, let context, let call = call(engine, header.stream_id) else { return 0 }
            connection(context).writing(call)
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { engine, frame, name, nameLength, value, valueLength, _, _ in
            guard let frame = frame?.pointee, let call = call(engine, frame.hd.stream_id) else { return 0 }
            call.field(
                UnsafeBufferPointer(start: name, count: nameLength), UnsafeBufferPointer(start: value, count: valueLength),
                isTrailer: frame.headers.cat == NGHTTP2_HCAT_HEADERS)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { engine, _, stream, bytes, count, _ in
            call(engine, stream)?.data(UnsafeBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { engine, frame, context in
            guard let header = frame?.pointee.hd, let context else { return 0 }
            if header.type == UInt8(NGHTTP2_GOAWAY.rawValue) {
                connection(context).startDraining()
            } else if header.type == UInt8(NGHTTP2_SETTINGS.rawValue) {
                connection(context).settled()
            } else if header.isHeaders || header.isData {
                connection(context).heard()
                if header.endsStream { call(engine, header.stream_id)?.answered() }
            }
            return 0
        }
        installLoans(callbacks)
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { engine, stream, code, context in
            guard let context, let call = call(engine, stream) else { return 0 }
            connection(context).ended(call, code: code)
            return 0
        }
    }

    private static func installLoans(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, head, count, source, context in
            guard let head, let pointer = source?.pointee.ptr, let context else { return 0 }
            let call = Unmanaged<UpstreamCall>.fromOpaque(pointer).takeUnretainedValue()
            let code = connection(context).lend(head, call.payload, from: call.sent, count)
            if code == 0 { call.sent += count }
            return code
        }
    }

    /// Where nghttp2 takes a call's message from.
    static func provider(of call: UpstreamCall) -> nghttp2_data_provider {
        var provider = nghttp2_data_provider()
        provider.source.ptr = Unmanaged.passUnretained(call).toOpaque()
        provider.read_callback = { _, _, buffer, room, flags, source, _ in
            guard let pointer = source?.pointee.ptr, let buffer, let flags else { return 0 }
            let call = Unmanaged<UpstreamCall>.fromOpaque(pointer).takeUnretainedValue()
            let count = HTTP2Engine.next(
                of: call.payload, from: call.sent, lending: true, into: buffer, room: room, flags: &flags.pointee)
            if flags.pointee & UInt32(NGHTTP2_DATA_FLAG_NO_COPY.rawValue) == 0 { call.sent += count }
            return count
        }
        return provider
    }
}

private func connection(_ context: UnsafeMutableRawPointer) -> UpstreamConnection {
    Unmanaged<UpstreamConnection>.fromOpaque(context).takeUnretainedValue()
}

private func call(_ engine: OpaquePointer?, _ stream: Int32) -> UpstreamCall? {
    nghttp2_session_get_stream_user_data(engine, stream).map { Unmanaged<UpstreamCall>.fromOpaque($0).takeUnretainedValue() }
}
