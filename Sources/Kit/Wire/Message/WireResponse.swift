// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A whole answer. The server adds `content-length` and `date`; fields that belong to the connection are its own business.
package struct WireResponse: Sendable {
    package var status: Int
    package var headers: WireHeaders
    package var body: [UInt8]
    /// A large gRPC message, instead of the body: it is framed while it is sent.
    var message: ArraySlice<UInt8>?
    /// Sent after the body over HTTP/2; HTTP/1.1 callers do not see them.
    package var trailers: WireHeaders?

    package init(status: Int = 200, headers: WireHeaders = [:], body: [UInt8] = [], trailers: WireHeaders? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.trailers = trailers
    }

    /// A sentence as plain text.
    package init(status: Int, text: String) {
        self.init(status: status, headers: ["content-type": "text/plain; charset=utf-8"], body: Array(text.utf8) + [10])
    }

    /// What is sent as the body.
    var payload: Payload { message.map { Payload(message: $0) } ?? Payload(body[...]) }

    /// Bytes of the body as it is sent.
    package var size: Int { message.map { GRPCFraming.prefix + $0.count } ?? body.count }

    /// The standard's short phrase for a status.
    static func phrase(of status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Other"
        }
    }
}
