// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// One accepted connection, served on its own thread until either side ends it.
final class LoopbackConnection: @unchecked Sendable {
    // SAFETY: made by the accepting thread and handed to one other, which alone uses it from then on.
    private let socket: Int32
    private let number: Int
    private let server: LoopbackServer
    private var unread: [UInt8] = []

    /// The connection is over; nothing more to tell.
    private struct Over: Error {}

    init(socket: Int32, number: Int, server: LoopbackServer) {
        self.socket = socket
        self.number = number
        self.server = server
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Reads and answers requests one after the other.
    func serve() {
        do {
            while let request = try readRequest() {
                try write(server.respond(to: request), to: request)
            }
        } catch {
            // Either side left: the rest of the script has nobody to play for.
        }
    }

    // MARK: reading

    private func readRequest() throws -> LoopbackRequest? {
        guard let head = try readHead() else { return nil }
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { throw Over() }
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        var request = LoopbackRequest(
            method: String(words[0]), target: String(words[1]), headers: headers, body: [], connection: number)
        if let answer = server.early(request) {
            try write(answer, to: request)
            try waitFor(server.stopping)
        }
        try waitFor(server.readsBodies)
        if request.header("Expect")?.lowercased() == "100-continue" { try send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        if request.header("Transfer-Encoding")?.lowercased() == "chunked" {
            request.body = try readChunks()
        } else if let length = request.header("Content-Length").flatMap({ Int($0) }) {
            request.body = try take(length)
        }
        return request
    }

    private func readHead() throws -> String? {
        let end: [UInt8] = [13, 10, 13, 10]
        var searched = 0
        while true {
            let from = max(0, searched - 3)
            if let found = (from..<max(from, unread.count - 3)).first(where: { unread[$0..<$0 + 4].elementsEqual(end) }) {
                let head = String(decoding: unread[..<found], as: UTF8.self)
                unread.removeFirst(found + 4)
                return head
            }
            searched = unread.count
            guard try receive() else {
                if unread.isEmpty { return nil }
                throw Over()
            }
        }
    }

    private func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try takeLine()
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else { throw Over() }
            if size == 0 {
                while try !takeLine().isEmpty {}
                return body
            }
            body += try take(size)
            _ = try takeLine()
        }
    }

    private func takeLine() throws -> String {
        var line: [UInt8] = []
        while true {
            let byte = try take(1)[0]
            if byte == 10 { return String(decoding: line, as: UTF8.self) }
            if byte != 13 { line.append(byte) }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while unread.count < count {
            guard try receive() else { throw Over() }
        }
        let taken = Array(unread[..<count])
        unread.removeFirst(count)
        return taken
    }

    /// Reads what is there, at least one byte; false at the end of the stream.
    private func receive() throws -> Bool {
        let room = 65_536
        var count = 0
        let fresh = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
            repeat { count = recv(socket, buffer.baseAddress, room, 0) } while count < 0 && errno == EINTR
            filled = max(0, count)
        }
        guard count >= 0 else { throw Over() }
        unread += fresh
        return count > 0
    }

    // MARK: answering

    private func write(_ answer: LoopbackAnswer, to request: LoopbackRequest) throws {
        var chunked = false
        for piece in answer.before { try perform(piece, chunked: false) }
        var head = "HTTP/1.1 \(answer.status) Scripted\r\n"
        for header in answer.headers { head += "\(header.name): \(header.value)\r\n" }
        let hasBody = request.method != "HEAD" && answer.status != 204 && answer.status != 304 && answer.status >= 200
        switch answer.framing {
        case .length(let promised):
            let isGiven = answer.headers.contains { $0.name.lowercased() == "content-length" }
            if hasBody || promised != nil, !isGiven { head += "Content-Length: \(promised ?? answer.byteCount)\r\n" }
        case .chunked:
            head += "Transfer-Encoding: chunked\r\n"
            chunked = true
        case .close: head += "Connection: close\r\n"
        }
        try send(Array((head + "\r\n").utf8))
        guard hasBody else { return }
        for piece in answer.pieces { try perform(piece, chunked: chunked) }
        if chunked { try send(Array("0\r\n\r\n".utf8)) }
        if case .close = answer.framing { throw Over() }
    }

    private func perform(_ piece: LoopbackAnswer.Piece, chunked: Bool) throws {
        switch piece {
        case .bytes(let bytes): try sendBody(bytes, chunked: chunked)
        case .produced(let next):
            while let bytes = next() { try sendBody(bytes, chunked: chunked) }
        case .wait(let gate): try waitFor(gate)
        case .hang: try waitFor(server.stopping)
        case .end: throw Over()
        case .cut:
            // An immediate close with nothing lingering is a reset on the wire.
            var hard = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
            throw Over()
        }
    }

    private func sendBody(_ bytes: [UInt8], chunked: Bool) throws {
        guard !bytes.isEmpty else { return }
        guard chunked else { return try send(bytes) }
        try send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
    }

    private func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(socket, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Over() }
            sent += count
        }
    }

    /// Returns when the gate is open; throws when the client leaves or the server stops.
    private func waitFor(_ gate: Gate) throws {
        var watchesClient = true
        while !gate.isOpen {
            var looks = [
                pollfd(fd: gate.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server.stopping.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket, events: watchesClient ? Int16(POLLIN) : 0, revents: 0),
            ]
            _ = poll(&looks, 3, -1)
            if looks[1].revents != 0 || looks[2].revents & Int16(POLLHUP | POLLERR) != 0 { throw Over() }
            guard looks[2].revents & Int16(POLLIN) != 0 else { continue }
            var byte: UInt8 = 0
            if recv(socket, &byte, 1, Int32(MSG_PEEK)) <= 0 { throw Over() }
            // A body or the next request waits there unread: from here on only a reset can be seen.
            watchesClient = false
        }
        if server.stopping.isOpen { throw Over() }
    }
}
