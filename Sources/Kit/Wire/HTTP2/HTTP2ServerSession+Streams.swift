// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CNghttp2

/// Calls whose messages come and go one by one.
extension HTTP2ServerSession {
    /// Whether the handler wants this call as a stream; it runs from now on, then.
    func startStream(_ exchange: Exchange, isWhole: Bool) -> Bool {
        guard exchange.request.method == "POST", exchange.request.isGRPC,
            let streaming = connection.server.handler.stream(for: exchange.request)
        else { return false }
        guard connection.server.hasRoom else {
            refuse(exchange, .tooManyRequests)
            return true
        }
        let loop = connection.loop
        exchange.request.deadline = loop.instant + min(limits.streamTimeout, exchange.request.grpcTimeout ?? limits.streamTimeout)
        loop.plan(exchange, at: loop.time(of: exchange.request.deadline))
        let stream = GRPCStream(exchange, of: self, streaming)
        exchange.grpc = stream
        exchange.isRequestWhole = isWhole
        if isWhole { stream.callerIsThrough() }
        exchange.dispatch()
        return true
    }

    /// The stream has taken so many bytes in: the caller may send as many more.
    func consumed(_ count: Int, of exchange: Exchange) {
        guard let session = engine?.session else { return }
        nghttp2_session_consume_stream(session, exchange.stream, count)
        link.flushLater()
    }

    /// The stream has something to send; its first words take the head with them.
    func hasOutput(_ exchange: Exchange, _ stream: GRPCStream) {
        guard let session = engine?.session, exchange.isOpen else { return }
        if stream.hasHead {
            nghttp2_session_resume_data(session, exchange.stream)
        } else {
            stream.headHasLeft()
            var head: WireHeaders = ["content-type": "application/grpc"]
            head.append(contentsOf: stream.metadata)
            block.clear()
            block.add(":status", "200")
            block.add(head)
            var provider = HTTP2ServerCallbacks.provider(of: stream)
            _ = block.withFields { nghttp2_submit_response(session, exchange.stream, $0, $1, &provider) }
        }
        link.flushLater()
    }

    /// The handler has returned.
    func finish(_ exchange: Exchange, with status: GRPCStatus) {
        guard exchange.isOpen, let stream = exchange.grpc else { return }
        answered += 1
        end(exchange, stream, with: status)
        exchange.settle()
        connection.loop.plan(exchange, after: limits.requestTimeout.wholeNanoseconds)
    }

    private func end(_ exchange: Exchange, _ stream: GRPCStream, with status: GRPCStatus) {
        if stream.hasHead {
            stream.end(status)
            if let session = engine?.session { nghttp2_session_resume_data(session, exchange.stream) }
            link.flushLater()
        } else {
            var metadata = stream.metadata
            metadata.append(contentsOf: stream.trailers)
            answer(exchange, .grpc(status: status, metadata: metadata))
        }
    }

    /// The server ends the call itself. Where the caller has not taken all, or half a message has been framed, only a reset is honest.
    func cutShort(_ exchange: Exchange, _ stream: GRPCStream, with status: GRPCStatus) {
        if stream.hasHead, stream.pending > 0 {
            reset(exchange, NGHTTP2_CANCEL)
        } else {
            end(exchange, stream, with: status)
        }
        exchange.settle()
        stream.fail(status)
    }

    func isStuck(_ exchange: Exchange) {
        connection.counters.requestsTimedOut.count()
        reset(exchange, NGHTTP2_CANCEL)
        exchange.settle()
        exchange.grpc?.fail(.goneAway)
    }

    /// Called by nghttp2 when it has room for a stream's output: the bytes, or that there are none now.
    func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>, from stream: GRPCStream, number: Int32, flags: inout UInt32) -> Int {
        let count = stream.fill(buffer)
        if count > 0 { movedData() }
        guard stream.pending == 0 else { return count }
        guard let status = stream.ending else { return count > 0 ? count : Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        flags |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
        var trailers = WireHeaders(status)
        trailers.append(contentsOf: stream.trailers)
        sendTrailers(trailers, on: number)
        return count
    }
}
