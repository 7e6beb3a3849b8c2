// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What the server does with one request, in the order written.
package struct LoopbackAnswer: Sendable {
    /// One act on the connection.
    package enum Piece: Sendable {
        /// Writes these bytes; one chunk where the body is chunked.
        case bytes([UInt8])
        /// Writes what the closure gives until it gives nil.
        case produced(@Sendable () -> [UInt8]?)
        /// Goes on when the gate opens; gives up when the client leaves.
        case wait(Gate)
        /// Resets the connection here, whatever was promised.
        case cut
        /// Ends the connection here in good order, whatever was promised.
        case end
        /// Writes nothing more and holds the connection until the client leaves.
        case hang
    }

    /// How the end of the body is told to the client.
    package enum Framing: Sendable {
        /// `Content-Length`: of the bytes given, or as promised.
        case length(Int? = nil)
        case chunked
        /// The end of the connection is the end of the body.
        case close
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var framing: Framing
    package var pieces: [Piece]
    /// Acts before the status line is written: a late or an absent answer.
    package var before: [Piece]

    package init(
        _ status: Int = 200, headers: [(name: String, value: String)] = [], framing: Framing = .length(), pieces: [Piece],
        before: [Piece] = []
    ) {
        self.status = status
        self.headers = headers
        self.framing = framing
        self.pieces = pieces
        self.before = before
    }

    /// A whole answer at once.
    package init(_ status: Int, headers: [(name: String, value: String)] = [], _ text: String = "") {
        self.init(status, headers: headers, pieces: [.bytes(Array(text.utf8))])
    }

    /// A whole answer in JSON.
    package static func json(_ text: String) -> LoopbackAnswer { json(200, text) }

    /// The same with a status of its own.
    package static func json(_ status: Int, _ text: String) -> LoopbackAnswer {
        LoopbackAnswer(status, headers: [("Content-Type", "application/json")], text)
    }

    /// An answer in chunks, as a watch gets it.
    package static func chunked(headers: [(name: String, value: String)] = [], _ pieces: [Piece]) -> LoopbackAnswer {
        LoopbackAnswer(headers: headers, framing: .chunked, pieces: pieces)
    }

    /// No answer at all; the connection stays open until the client leaves.
    package static var silence: LoopbackAnswer { LoopbackAnswer(pieces: [], before: [.hang]) }

    /// A reset instead of an answer.
    package static var hangUp: LoopbackAnswer { LoopbackAnswer(pieces: [], before: [.cut]) }

    /// The same answer, begun when the gate opens.
    package func after(_ gate: Gate) -> LoopbackAnswer {
        var late = self
        late.before.append(.wait(gate))
        return late
    }

    var byteCount: Int {
        pieces.reduce(0) { sum, piece in
            guard case .bytes(let bytes) = piece else { return sum }
            return sum + bytes.count
        }
    }
}

extension LoopbackAnswer.Piece {
    /// Text as a piece.
    package static func text(_ text: String) -> Self { .bytes(Array(text.utf8)) }
}
