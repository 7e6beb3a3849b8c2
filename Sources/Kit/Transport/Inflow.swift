// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// Bytes from the loop's thread to one reader, with a bound.
final class Inflow: Sendable {
    /// What the side that writes does next.
    enum Offer { case taken, full }

    fileprivate struct State {
        var chunks: [[UInt8]] = []
        var first = 0
        var waiting = 0
        var isFull = false
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var end: Result<Void, any Error>?
    }

    private let state = Mutex(State())
    private let bound: Int
    private let drained: @Sendable () -> Void

    /// `drained` is called when there is room again after an offer found none.
    init(bound: Int, drained: @escaping @Sendable () -> Void) {
        self.bound = bound
        self.drained = drained
    }

    /// Takes a copy of the bytes, or none of them.
    func offer(_ bytes: UnsafeRawBufferPointer) -> Offer {
        enum Act { case none, full, hand(CheckedContinuation<[UInt8]?, any Error>) }
        let act: Act = state.withLock { state in
            guard state.end == nil else { return .none }
            if let reader = state.reader {
                state.reader = nil
                return .hand(reader)
            }
            guard state.waiting < bound else {
                state.isFull = true
                return .full
            }
            state.chunks.append([UInt8](bytes))
            state.waiting += bytes.count
            return .none
        }
        switch act {
        case .none: return .taken
        case .full: return .full
        case .hand(let reader):
            reader.resume(returning: [UInt8](bytes))
            return .taken
        }
    }

    /// No more bytes come. What waits is still read, then the end or the error.
    func finish(_ end: Result<Void, any Error>) {
        let reader: CheckedContinuation<[UInt8]?, any Error>? = state.withLock { state in
            guard state.end == nil else { return nil }
            state.end = end
            // Who gave up does not want the rest.
            if case .failure(let error as TransportError) = end, error == .cancelled { state.drop() }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(with: end.map { nil })
    }

    /// The next bytes, or nil at the end of a whole body.
    func next() async throws -> [UInt8]? {
        enum Found { case bytes([UInt8], roomAgain: Bool), end(Result<Void, any Error>), second, nothing }
        return try await withCheckedThrowingContinuation { caller in
            let found: Found = state.withLock { state in
                if let bytes = state.take() {
                    let roomAgain = state.isFull && state.waiting <= bound / 2
                    if roomAgain { state.isFull = false }
                    return .bytes(bytes, roomAgain: roomAgain)
                }
                if let end = state.end { return .end(end) }
                guard state.reader == nil else { return .second }
                state.reader = caller
                return .nothing
            }
            switch found {
            case .bytes(let bytes, let roomAgain):
                caller.resume(returning: bytes)
                if roomAgain { drained() }
            case .end(let end): caller.resume(with: end.map { nil })
            case .second: caller.resume(throwing: TransportError.invalidRequest("wanted one reader of the body, found two"))
            case .nothing: break
            }
        }
    }
}

extension Inflow.State {
    fileprivate mutating func take() -> [UInt8]? {
        guard first < chunks.count else { return nil }
        let bytes = chunks[first]
        chunks[first] = []
        first += 1
        waiting -= bytes.count
        if first == chunks.count { drop() }
        return bytes
    }

    fileprivate mutating func drop() {
        chunks.removeAll(keepingCapacity: true)
        first = 0
        waiting = 0
    }
}
