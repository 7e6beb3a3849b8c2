// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CNghttp2
import Glibc

/// What nghttp2 calls back for an accepted connection. The session's context is the `HTTP2ServerSession`, a stream's is its
/// `Exchange`; both are held by the connection for as long as nghttp2 knows them.
enum HTTP2ServerCallbacks {
    static func install(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { engine, frame, context in
            guard let frame = frame?.pointee, frame.headers.cat == NGHTTP2_HCAT_REQUEST, let context else { return 0 }
            let exchange = session(context).began(frame.hd.stream_id)
            nghttp2_session_set_stream_user_data(engine, frame.hd.stream_id, Unmanaged.passUnretained(exchange).toOpaque())
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { engine, frame, name, nameLength, value, valueLength, _, context in
            guard let frame, let context, let exchange = exchange(engine, frame.pointee.hd.stream_id) else { return 0 }
            session(context).field(
                UnsafeBufferPointer(start: name, count: nameLength), UnsafeBufferPointer(start: value, count: valueLength), of: exchange)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { engine, _, stream, bytes, count, context in
            guard let context, let exchange = exchange(engine, stream) else { return 0 }
            session(context).body(UnsafeBufferPointer(start: bytes, count: count), of: exchange)
            return 0
        }
        installEnds(callbacks)
        installLoans(callbacks)
    }

    private static func installLoans(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, head, count, source, context in
            guard let head, let pointer = source?.pointee.ptr, let context, let engine = session(context).engine else { return 0 }
            let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
            guard let payload = exchange.payload else { return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
            let code = engine.lend(head, payload, from: exchange.sent, count)
            if code == 0 { exchange.sent += count }
            return code
        }
    }

    private static func installEnds(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { engine, frame, context in
            guard let frame = frame?.pointee, let context else { return 0 }
            let header = frame.hd
            if isChatter(frame) { session(context).heardChatter() }
            guard header.isHeaders || header.isData, let exchange = exchange(engine, header.stream_id) else { return 0 }
            if header.isHeaders {
                session(context).headCame(exchange, isWhole: header.endsStream)
            } else if header.endsStream {
                session(context).requestCame(exchange)
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, code, context in
            // Streams beyond our limit are an honest mistake until our settings have arrived.
            if let context, code != NGHTTP2_ERR_REFUSED_STREAM.rawValue { session(context).heardReset() }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { engine, frame, context in
            guard let header = frame?.pointee.hd, header.isHeaders || header.isData, header.endsStream, let context,
                let exchange = exchange(engine, header.stream_id)
            else { return 0 }
            session(context).answerLeft(exchange)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { engine, stream, code, context in
            guard let context, let exchange = exchange(engine, stream) else { return 0 }
            session(context).ended(exchange, wasReset: code != NGHTTP2_NO_ERROR.rawValue)
            return 0
        }
    }

    /// Where nghttp2 takes an answer's body from.
    static func provider(of exchange: Exchange) -> nghttp2_data_provider {
        var provider = nghttp2_data_provider()
        provider.source.ptr = Unmanaged.passUnretained(exchange).toOpaque()
        provider.read_callback = { _, _, buffer, room, flags, source, context in
            guard let pointer = source?.pointee.ptr, let buffer, let flags, let context else { return 0 }
            let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
            guard let answer = exchange.answer, let payload = exchange.payload else { return 0 }
            let lending = !session(context).link.isEncrypted
            let count = HTTP2Engine.next(
                of: payload, from: exchange.sent, lending: lending, into: buffer, room: room, flags: &flags.pointee)
            if flags.pointee & UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue) != 0, let trailers = answer.trailers {
                flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
                session(context).sendTrailers(trailers, on: exchange.stream)
            }
            if flags.pointee & UInt32(NGHTTP2_DATA_FLAG_NO_COPY.rawValue) == 0 { exchange.sent += count }
            return count
        }
        return provider
    }

    /// Where nghttp2 takes a stream's messages from.
    static func provider(of stream: GRPCStream) -> nghttp2_data_provider {
        var provider = nghttp2_data_provider()
        provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        provider.read_callback = { _, number, buffer, room, flags, source, context in
            guard let pointer = source?.pointee.ptr, let flags, let context else { return 0 }
            let stream = Unmanaged<GRPCStream>.fromOpaque(pointer).takeUnretainedValue()
            return session(context).fill(
                UnsafeMutableBufferPointer(start: buffer, count: room), from: stream, number: number, flags: &flags.pointee)
        }
        return provider
    }
}

private func session(_ context: UnsafeMutableRawPointer) -> HTTP2ServerSession {
    Unmanaged<HTTP2ServerSession>.fromOpaque(context).takeUnretainedValue()
}

private func exchange(_ engine: OpaquePointer?, _ stream: Int32) -> Exchange? {
    nghttp2_session_get_stream_user_data(engine, stream).map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
}

/// Whether the frame carries nothing that anybody waits for.
private func isChatter(_ frame: nghttp2_frame) -> Bool {
    if frame.hd.isData { return !frame.hd.endsStream && frame.hd.length <= frame.data.padlen }
    return frame.hd.type == UInt8(NGHTTP2_SETTINGS.rawValue) || frame.hd.type == UInt8(NGHTTP2_PING.rawValue)
        || frame.hd.type == UInt8(NGHTTP2_PRIORITY.rawValue)
}
