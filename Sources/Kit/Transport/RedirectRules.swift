// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Which redirects are followed, and with what.
enum RedirectRules {
    /// The request to send next; nil where the answer is not a redirect.
    ///
    /// Refused: from `https` to `http`, anything but these two, and a streamed body that would have to be sent again.
    /// Across origins go neither credentials nor the client's certificate.
    static func next(after status: Int, location: String?, to request: TransportRequest) throws(TransportError) -> TransportRequest? {
        guard [301, 302, 303, 307, 308].contains(status), let location, let here = WebAddress(request.url) else { return nil }
        guard let there = here.following(location) else {
            throw .redirectRefused(host: here.host, reason: "wanted an http or https location, found another")
        }
        guard !(here.origin.scheme == "https" && there.origin.scheme == "http") else {
            throw .redirectRefused(host: here.host, reason: "wanted https, found http on \(there.host)")
        }
        var next = request
        next.url = there.text
        if status == 303 && request.method != "HEAD" || (status == 301 || status == 302) && request.method == "POST" {
            next.method = "GET"
            next.body = .none
            next.headers.removeAll { ["content-type", "content-length", "content-encoding"].contains($0.name.lowercased()) }
        }
        if case .stream = next.body {
            throw .redirectRefused(host: here.host, reason: "a streamed body cannot be sent twice")
        }
        if here.origin != there.origin {
            next.headers.removeAll { ["authorization", "cookie", "proxy-authorization"].contains($0.name.lowercased()) }
            next.tls.clientCertificate = nil
            next.tls.clientKey = nil
        }
        return next
    }
}
