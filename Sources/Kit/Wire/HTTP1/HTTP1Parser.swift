// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Reads HTTP/1 requests from bytes, however they are cut. No socket, no clock.
///
/// Strict by RFC 9112: lines end in CRLF, nothing is folded, and a body has one length or the request is refused, since two
/// readers of one connection that disagree about a length are how requests are smuggled.
struct HTTP1Parser {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    enum Step: Equatable {
        /// All input is taken; more is needed.
        case needsMore
        /// The head is whole; a body follows, of which nothing is read yet.
        case head
        /// A request is whole: take it with `takeRequest`.
        case complete
    }

    private enum State {
        case start, fields
        case fixed(Int)
        case chunkSize, chunk(Int), chunkEnd, trailers
        case complete
    }

    private let limits: WireLimits
    private var state = State.start
    /// The beginning of a line whose end has not come.
    private var partial: [UInt8] = []
    private var headBytes = 0
    private var fieldCount = 0
    private var skippedBlankLine = false
    private(set) var head = HTTP1Head()
    private(set) var body: [UInt8] = []

    /// Bytes of the present request that are kept.
    var size: Int { headBytes + partial.count + body.count }

    init(limits: WireLimits) { self.limits = limits }

    /// Whether nothing of a request has come yet.
    var isFresh: Bool {
        if case .start = state { return partial.isEmpty && headBytes == 0 }
        return false
    }

    /// Whether the head is whole.
    var isInBody: Bool {
        switch state {
        case .start, .fields, .complete: false
        default: true
        }
    }

    /// Hands over the request and starts anew.
    mutating func takeRequest() -> (head: HTTP1Head, body: [UInt8]) {
        let request = (head, body)
        state = .start
        partial.removeAll(keepingCapacity: true)
        headBytes = 0
        fieldCount = 0
        skippedBlankLine = false
        head = HTTP1Head()
        body = []
        return request
    }

    /// Reads on until something is worth telling; `input` becomes what is left.
    mutating func advance(over input: inout Bytes) throws(HTTPFault) -> Step {
        while true {
            switch state {
            case .fixed(let left):
                guard takeBody(left, from: &input) else { return .needsMore }
                return complete()
            case .chunk(let left):
                guard takeBody(left, from: &input) else { return .needsMore }
                state = .chunkEnd
            case .complete: return .complete
            default:
                guard let step = try readLine(from: &input) else { return .needsMore }
                if step != .needsMore { return step }
            }
        }
    }

    private mutating func complete() -> Step {
        state = .complete
        return .complete
    }

    /// Appends up to `left` bytes to the body; true when that was all.
    private mutating func takeBody(_ left: Int, from input: inout Bytes) -> Bool {
        let count = min(left, input.count)
        // A length is only a promise: memory for all of it is taken when some has come.
        if case .fixed = state, body.count + count > 16_384, body.capacity < body.count + left { body.reserveCapacity(body.count + left) }
        body.append(contentsOf: input[..<count])
        input = Bytes(rebasing: input[count...])
        if case .fixed = state { state = .fixed(left - count) } else { state = .chunk(left - count) }
        return count == left
    }

    /// Reads one line, if its end is there. The step is `.needsMore` where the line alone tells nothing.
    private mutating func readLine(from input: inout Bytes) throws(HTTPFault) -> Step? {
        guard let end = input.first(10) else {
            partial.append(contentsOf: input)
            input = Bytes(rebasing: input[input.count...])
            try checkPartial()
            return nil
        }
        let rest = Bytes(rebasing: input[(end + 1)...])
        defer { input = rest }
        if partial.isEmpty { return try takeLine(Bytes(rebasing: input[..<end])) }
        var joined = partial
        joined.append(contentsOf: input[..<end])
        partial.removeAll(keepingCapacity: true)
        return try joined.withUnsafeBufferPointer { (line) throws(HTTPFault) in try takeLine(line) }
    }

    /// A line that does not end must not grow for ever, and a carriage return in its midst is refused at once.
    private func checkPartial() throws(HTTPFault) {
        try checkSize(adding: partial.count)
        if let stray = partial.firstIndex(of: 13), stray < partial.count - 1 { throw .malformed("carriage return without line feed") }
    }

    private func checkSize(adding count: Int) throws(HTTPFault) {
        if case .chunkSize = state, count > 256 { throw .malformed("chunk size line too long") }
        guard headBytes + count > limits.headBytes else { return }
        if case .start = state { throw HTTPFault(status: 414, reason: "request line over \(limits.headBytes) bytes") }
        throw HTTPFault(status: 431, reason: "head over \(limits.headBytes) bytes")
    }

    private mutating func takeLine(_ whole: Bytes) throws(HTTPFault) -> Step {
        guard whole.last == 13 else { throw .malformed("line feed without carriage return") }
        let line = Bytes(rebasing: whole.dropLast())
        guard line.first(13) == nil else { throw .malformed("carriage return without line feed") }
        try checkSize(adding: whole.count + 1)
        switch state {
        case .start: try takeRequestLine(line)
        case .fields:
            headBytes += whole.count + 1
            if line.isEmpty { return try finishHead() }
            try countField()
            try head.readField(line)
        case .chunkSize: try takeChunkSize(line)
        case .chunkEnd:
            guard line.isEmpty else { throw .malformed("chunk is longer than its size") }
            state = .chunkSize
        case .trailers:
            if line.isEmpty { return complete() }
            headBytes += whole.count + 1
            try countField()
            // Checked, and dropped: nothing in them may change what the head has said.
            _ = try HTTP1Head.split(line)
        default: break
        }
        return .needsMore
    }

    private mutating func takeRequestLine(_ line: Bytes) throws(HTTPFault) {
        headBytes += line.count + 2
        if line.isEmpty, !skippedBlankLine {
            // One empty line before a request is an old client's habit. (§2.2)
            skippedBlankLine = true
            return
        }
        head.headers.reserve()
        try head.readRequestLine(line)
        state = .fields
    }

    private mutating func countField() throws(HTTPFault) {
        fieldCount += 1
        if fieldCount > limits.headFields { throw HTTPFault(status: 431, reason: "more than \(limits.headFields) header fields") }
    }

    private mutating func finishHead() throws(HTTPFault) -> Step {
        try head.finish()
        switch head.length {
        case .none, .fixed(0): return complete()
        case .fixed(let count):
            guard count <= limits.bodyBytes else { throw bodyTooLarge }
            state = .fixed(count)
        case .chunked: state = .chunkSize
        }
        return .head
    }

    private mutating func takeChunkSize(_ line: Bytes) throws(HTTPFault) {
        let digits = line.prefix { $0.hexValue != nil }
        guard !digits.isEmpty else { throw .malformed("bad chunk size") }
        var size = 0
        for digit in digits {
            size = size << 4 | (digit.hexValue ?? 0)
            if body.count + size > limits.bodyBytes { throw bodyTooLarge }
        }
        let rest = Bytes(rebasing: line[digits.endIndex...]).trimmed
        guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { throw .malformed("bad chunk size") }
        guard rest.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else { throw .malformed("control character in a chunk extension") }
        state = size == 0 ? .trailers : .chunk(size)
    }

    private var bodyTooLarge: HTTPFault { HTTPFault(status: 413, reason: "body over \(limits.bodyBytes) bytes") }
}
