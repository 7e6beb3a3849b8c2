// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A gRPC message on the wire: a flag, a length in four bytes, the message.
enum GRPCFraming {
    static let prefix = 5

    /// The five bytes before a message.
    struct Prefix {
        private let length: UInt32

        init(_ count: Int) { length = UInt32(clamping: count) }

        subscript(i: Int) -> UInt8 { i == 0 ? 0 : UInt8(truncatingIfNeeded: length >> (32 - 8 * UInt32(i))) }
    }

    static func frame(_ message: [UInt8], into queue: inout ByteQueue) {
        let start = Prefix(message.count)
        for i in 0..<prefix { queue.append(start[i]) }
        queue.append(message)
    }

    /// Refuses what is no plain message.
    static func check(flag: UInt8) throws(GRPCStatus) {
        switch flag {
        case 0: return
        case 1: throw GRPCStatus(.unimplemented, "compressed messages are not understood")
        default: throw GRPCStatus(.internal, "unknown message flag \(flag)")
        }
    }

    static func frame(_ message: ArraySlice<UInt8>) -> [UInt8] {
        let start = Prefix(message.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefix + message.count)
        for i in 0..<prefix { bytes.append(start[i]) }
        bytes.append(contentsOf: message)
        return bytes
    }

    /// How long a body that begins so will be, if its prefix says.
    static func expected(_ body: [UInt8]) -> Int? {
        guard body.count >= prefix, body[0] == 0 else { return nil }
        return prefix + (Int(body[1]) << 24 | Int(body[2]) << 16 | Int(body[3]) << 8 | Int(body[4]))
    }

    /// The one message of a unary body.
    static func message(in body: [UInt8]) throws(GRPCStatus) -> ArraySlice<UInt8> {
        guard body.count >= prefix else { throw GRPCStatus(.internal, "wanted one message, found \(body.count) bytes") }
        try check(flag: body[0])
        let count = Int(body[1]) << 24 | Int(body[2]) << 16 | Int(body[3]) << 8 | Int(body[4])
        guard body.count == prefix + count else {
            throw GRPCStatus(.internal, "wanted one message of \(count) bytes, found \(body.count - prefix)")
        }
        return body[prefix...]
    }
}

/// `grpc-timeout`: at most eight digits and a unit.
enum GRPCTimeout {
    static func parse(_ text: ArraySlice<UInt8>) -> Duration? {
        guard text.count >= 2, text.count <= 9, let unit = text.last else { return nil }
        var number: Int64 = 0
        for byte in text.dropLast() {
            guard byte.isDigit else { return nil }
            number = number * 10 + Int64(byte - 48)
        }
        switch unit {
        case UInt8(ascii: "H"): return .seconds(number * 3600)
        case UInt8(ascii: "M"): return .seconds(number * 60)
        case UInt8(ascii: "S"): return .seconds(number)
        case UInt8(ascii: "m"): return .milliseconds(number)
        case UInt8(ascii: "u"): return .microseconds(number)
        case UInt8(ascii: "n"): return .nanoseconds(number)
        default: return nil
        }
    }

    /// In the finest unit that has room for it.
    static func format(_ timeout: Duration) -> (count: Int, unit: StaticString) {
        let nanoseconds = max(0, Int(timeout.wholeNanoseconds))
        let room = 100_000_000
        if nanoseconds < room { return (nanoseconds, "n") }
        if nanoseconds / 1000 < room { return (nanoseconds / 1000, "u") }
        if nanoseconds / 1_000_000 < room { return (nanoseconds / 1_000_000, "m") }
        if nanoseconds / 1_000_000_000 < room { return (nanoseconds / 1_000_000_000, "S") }
        return (nanoseconds / 3_600_000_000_000, "H")
    }
}

extension WireRequest {
    /// Whether the caller speaks gRPC.
    package var isGRPC: Bool { headers.bytes(of: "content-type")?.starts(with: "application/grpc".utf8) ?? false }

    /// The one message of a unary call.
    package func grpcMessage() throws(GRPCStatus) -> ArraySlice<UInt8> { try GRPCFraming.message(in: body) }

    /// How long the caller wants to wait, if it says so properly.
    var grpcTimeout: Duration? { headers.bytes(of: "grpc-timeout").flatMap(GRPCTimeout.parse) }
}

extension WireResponse {
    /// A unary call's good answer.
    package static func grpc(message: ArraySlice<UInt8>, metadata: WireHeaders = [:], trailers: WireHeaders = [:]) -> WireResponse {
        var headers = grpcHead
        headers.append(contentsOf: metadata)
        var last = grpcWell
        last.append(contentsOf: trailers)
        // A small message is framed at once; a large one stays where it is.
        guard message.count >= Outbox.smallestLoan else {
            return WireResponse(headers: headers, body: GRPCFraming.frame(message), trailers: last)
        }
        var response = WireResponse(headers: headers, trailers: last)
        response.message = message
        return response
    }

    /// A unary call's good answer.
    package static func grpc(message: [UInt8], metadata: WireHeaders = [:], trailers: WireHeaders = [:]) -> WireResponse {
        grpc(message: message[...], metadata: metadata, trailers: trailers)
    }

    /// A call that ends without a message: one block of headers tells all.
    package static func grpc(status: GRPCStatus, metadata: WireHeaders = [:]) -> WireResponse {
        var last = WireHeaders(status)
        last.append(contentsOf: metadata)
        return WireResponse(headers: grpcHead, trailers: last)
    }

    private static let grpcHead: WireHeaders = ["content-type": "application/grpc"]
    private static let grpcWell: WireHeaders = ["grpc-status": "0"]
}

extension WireHeaders {
    /// The fields that tell how a call ended.
    init(_ status: GRPCStatus) {
        self = ["grpc-status": "\(status.code.rawValue)"]
        if !status.message.isEmpty { append("grpc-message", status.encodedMessage) }
    }
}
