// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting

@testable import Wire

/// An HTTP/2 frame, written by hand.
struct Frame: Equatable {
    var type: UInt8
    var flags: UInt8 = 0
    var stream: Int = 0
    var payload: [UInt8] = []

    var bytes: [UInt8] {
        [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), type, flags]
            + Self.word(stream) + payload
    }

    static func word(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4

    static func settings(_ pairs: [(Int, Int)] = []) -> Frame {
        Frame(type: 4, payload: pairs.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + word($0.1) })
    }
    static func data(_ stream: Int, _ payload: [UInt8], ends: Bool = false) -> Frame {
        Frame(type: 0, flags: ends ? endStream : 0, stream: stream, payload: payload)
    }
    static func reset(_ stream: Int, code: Int = 8) -> Frame { Frame(type: 3, stream: stream, payload: word(code)) }
    static func window(_ stream: Int, _ more: Int) -> Frame { Frame(type: 8, stream: stream, payload: word(more)) }

    /// The head of a request, in HPACK without Huffman or memory.
    static func head(_ stream: Int, _ fields: [(String, String)], ends: Bool) -> Frame {
        Frame(type: 1, flags: endHeaders | (ends ? endStream : 0), stream: stream, payload: block(fields))
    }
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0] + text(name) + text(value) }
    }
    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    static func get(_ stream: Int, _ path: String = "/") -> Frame {
        head(stream, [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "x")], ends: true)
    }
    static func call(_ stream: Int, _ path: String, _ more: [(String, String)] = [], ends: Bool = false) -> Frame {
        let fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"), ("te", "trailers")]
        return head(stream, fields + [("content-type", "application/grpc")] + more, ends: ends)
    }
}

/// Speaks HTTP/2 frame by frame, with windows and manners of its own.
final class FramePeer: Sendable {
    let raw: RawPeer

    /// Says hello with these settings, and agrees to the server's.
    init(port: Int, settings: [(Int, Int)] = [], receiveBuffer: Int32? = nil) async throws {
        raw = try RawPeer(port: port, receiveBuffer: receiveBuffer)
        try await raw.say(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Frame.settings(settings).bytes)
        _ = try await hear(type: 4)
        try await say(Frame(type: 4, flags: 1))
    }

    func say(_ frames: Frame...) async throws { try await say(frames) }
    func say(_ frames: [Frame]) async throws { try await raw.say(frames.flatMap(\.bytes)) }

    func hear() async throws -> Frame {
        let head = try await raw.hear(9)
        let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let stream = (Int(head[5]) & 127) << 24 | Int(head[6]) << 16 | Int(head[7]) << 8 | Int(head[8])
        return Frame(type: head[3], flags: head[4], stream: stream, payload: count == 0 ? [] : try await raw.hear(count))
    }

    /// The next frame of that type, others are passed over.
    func hear(type: UInt8) async throws -> Frame {
        while true {
            let frame = try await hear()
            if frame.type == type { return frame }
        }
    }

    /// All data of a stream until it ends, with END_STREAM or a reset; the error code of that.
    func hearStream(_ stream: Int) async throws -> (data: [UInt8], reset: Int?) {
        var data: [UInt8] = []
        while true {
            let frame = try await hear()
            guard frame.stream == stream else { continue }
            if frame.type == 0 { data += frame.payload }
            if frame.type == 3 { return (data, Int(frame.payload[3])) }
            if frame.type < 2, frame.flags & Frame.endStream != 0 { return (data, nil) }
        }
    }
}

/// A message with its prefix.
func framed(_ message: [UInt8]) -> [UInt8] { [0] + Frame.word(message.count) + message }
