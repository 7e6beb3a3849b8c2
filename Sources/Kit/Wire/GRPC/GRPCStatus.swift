// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// gRPC's canonical codes.
package enum GRPCCode: Int, Sendable, CaseIterable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16

    /// What a bare HTTP status, as from a proxy that does not speak gRPC, stands for.
    package init(httpStatus: Int) {
        self =
            switch httpStatus {
            case 400: .internal
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
    }
}

/// How a gRPC call ended, when not well.
package struct GRPCStatus: Error, Equatable, CustomStringConvertible {
    package var code: GRPCCode
    package var message: String

    package init(_ code: GRPCCode, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message.isEmpty ? "\(code)" : "\(code): \(message)" }

    /// The message as `grpc-message` carries it: percent-encoded UTF-8.
    var encodedMessage: String {
        var text = ""
        for byte in message.utf8 {
            if byte >= 32, byte < 127, byte != UInt8(ascii: "%") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = Array("0123456789ABCDEF".unicodeScalars)
                text.unicodeScalars.append("%")
                text.unicodeScalars.append(digits[Int(byte >> 4)])
                text.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return text
    }

    /// Reads a `grpc-message`. What is not properly encoded stays as it is: a peer's sentence is never worth an error.
    static func decode(message: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var i = message.startIndex
        while i < message.endIndex {
            if message[i] == UInt8(ascii: "%"), i + 2 < message.endIndex, let high = message[i + 1].hexValue,
                let low = message[i + 2].hexValue
            {
                bytes.append(UInt8(high << 4 | low))
                i += 3
            } else {
                bytes.append(message[i])
                i += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
