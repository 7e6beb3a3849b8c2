// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Writes answers as HTTP/1.1.
struct HTTP1Writer {
    var date: HTTPDate
    /// Whether the connection ends with this answer.
    var closes: Bool
    /// Whether the question was HEAD: everything but the body.
    var isHead: Bool

    func write(_ response: WireResponse, to queue: inout Outbox, lending: Bool = false) {
        let status = min(max(response.status, 100), 999)
        let hasBody = status >= 200 && status != 204 && status != 304
        queue.append("HTTP/1.1 ")
        queue.append(decimal: status)
        queue.append(UInt8(ascii: " "))
        queue.append(WireResponse.phrase(of: status))
        response.headers.forEachField { name, value in
            guard !Self.belongsToConnection(name) else { return }
            queue.append("\r\n")
            queue.append(name)
            queue.append(": ")
            queue.append(value)
        }
        if hasBody {
            queue.append("\r\ncontent-length: ")
            queue.append(decimal: response.size)
        }
        queue.append("\r\ndate: ")
        queue.append(date.current)
        queue.append(closes ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
        guard hasBody, !isHead else { return }
        let payload = response.payload
        if lending { payload.lend(from: 0, payload.count, to: &queue) } else { payload.copy(to: &queue) }
    }

    /// Fields that speak of the connection and the framing, which the server alone knows.
    static func belongsToConnection(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        switch name.count {
        case 4: name.isSame("date")
        case 7: name.isSame("upgrade")
        case 10: name.isSame("connection") || name.isSame("keep-alive")
        case 14: name.isSame("content-length")
        case 16: name.isSame("proxy-connection")
        case 17: name.isSame("transfer-encoding")
        default: false
        }
    }
}
