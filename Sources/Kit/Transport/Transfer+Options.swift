// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CCurl

/// A transfer's request as options of a curl handle. Loop's thread.
extension Transfer {
    /// Sets every option; throws the first that curl does not take.
    func prepare(_ handle: UnsafeMutableRawPointer) throws(TransportError) {
        self.handle = handle
        let options = EasyOptions(handle: handle, host: address.host)
        try options.set(CURLOPT_URL, request.url)
        try options.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try options.set(CURLOPT_CUSTOMREQUEST, request.method)
        if request.method == "HEAD" { try options.set(CURLOPT_NOBODY, 1) }
        try options.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        // Rather wait for a shared connection than open another. Without TLS nothing tells before the first answer
        // whether a connection can be shared, and the second request would wait for that answer.
        if address.origin.scheme == "https" { try options.set(CURLOPT_PIPEWAIT, 1) }
        try options.set(CURLOPT_NOSIGNAL, 1)
        try options.set(CURLOPT_CONNECTTIMEOUT_MS, request.timeouts.connect.milliseconds)
        try options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if request.bypassProxy || address.isLoopback { try options.set(CURLOPT_NOPROXY, "*") }
        try options.check(ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, complaint))
        try options.check(ccurl_on_socket(handle) { _, socket, _ in TransportSocket.prepare(socket) })
        try prepareTLS(options)
        try prepareHeaders(options)
        try prepareBody(options)
        try prepareCallbacks(handle, options)
    }

    /// Gives back what `prepare` made beside the handle.
    func release() {
        if let lines { curl_slist_free_all(lines) }
        lines = nil
        handle = nil
    }

    private func prepareTLS(_ options: EasyOptions) throws(TransportError) {
        let tls = request.tls
        try options.set(tls.ca, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB)
        // A file of authorities may be replaced; curl would keep its first reading for a day.
        if case .file = tls.ca { try options.set(CURLOPT_CA_CACHE_TIMEOUT, 60) }
        try options.set(tls.clientCertificate, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB)
        try options.set(tls.clientKey, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB)
        guard tls.skipVerify else { return }
        try options.set(CURLOPT_SSL_VERIFYPEER, 0)
        try options.set(CURLOPT_SSL_VERIFYHOST, 0)
    }

    private func prepareHeaders(_ options: EasyOptions) throws(TransportError) {
        let given = Set(request.headers.map { $0.name.lowercased() })
        // Curl's own: an empty text takes one away.
        var texts = ["Expect:"]
        if !given.contains("accept") { texts.append("Accept: */*") }
        // A semicolon is curl's word for a header without a value.
        texts += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for text in texts {
            guard let longer = curl_slist_append(lines, text) else {
                throw .failed(host: address.host, reason: "no memory for headers")
            }
            lines = longer
        }
        try options.check(ccurl_set_list(options.handle, CURLOPT_HTTPHEADER, lines))
    }

    private func prepareBody(_ options: EasyOptions) throws(TransportError) {
        let length: Int64?
        switch request.payload {
        case .none: return
        case .bytes(let bytes): length = Int64(bytes.count)
        case .stream(let known, _): length = known
        }
        try options.set(CURLOPT_UPLOAD, 1)
        try options.check(ccurl_set_offset(options.handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? -1)))
    }

    private func prepareCallbacks(_ handle: UnsafeMutableRawPointer, _ options: EasyOptions) throws(TransportError) {
        // The loop keeps the transfer for as long as curl has the handle.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let onHeader: ccurl_data_callback = { bytes, size, count, context in
            Transfer.at(context)?.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        let onWrite: ccurl_data_callback = { bytes, size, count, context in
            Transfer.at(context)?.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
        }
        let onRead: ccurl_data_callback = { room, size, count, context in
            Transfer.at(context)?.supply(UnsafeMutableRawBufferPointer(start: room, count: size * count)) ?? Int(CURL_READFUNC_ABORT)
        }
        let onSeek: ccurl_seek_callback = { context, offset, origin in
            origin == SEEK_SET && Transfer.at(context)?.rewind(to: Int(offset)) == true ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
        }
        try options.check(ccurl_on_header(handle, onHeader, context))
        try options.check(ccurl_on_write(handle, onWrite, context))
        try options.check(ccurl_on_read(handle, onRead, context))
        try options.check(ccurl_on_seek(handle, onSeek, context))
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// Typed options of one handle.
struct EasyOptions {
    let handle: UnsafeMutableRawPointer
    let host: String

    func set(_ option: CURLoption, _ value: Int) throws(TransportError) { try check(ccurl_set_long(handle, option, value)) }

    func set(_ option: CURLoption, _ value: String) throws(TransportError) { try check(ccurl_set_string(handle, option, value)) }

    func set(_ pem: TLSSettings.PEM?, _ fileOption: CURLoption, _ blobOption: CURLoption) throws(TransportError) {
        switch pem {
        case nil: break
        case .file(let path): try set(fileOption, path)
        case .bytes(let bytes): try check(bytes.withUnsafeBytes { ccurl_set_blob(handle, blobOption, $0.baseAddress, $0.count) })
        }
    }

    func check(_ code: CURLcode) throws(TransportError) {
        guard code == CURLE_OK else {
            throw .failed(host: host, reason: "wanted an option of curl, found \(String(cString: curl_easy_strerror(code)))")
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up: a wait is never shorter than asked for.
    var milliseconds: Int {
        let parts = components
        return Int(parts.seconds) * 1000 + Int((parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
