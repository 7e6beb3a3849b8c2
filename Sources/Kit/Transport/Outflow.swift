// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// Bytes of a request's body from one feeding task to the loop's thread, with a bound.
final class Outflow: Sendable {
    /// What the side that reads has got.
    enum Draw: Equatable { case bytes(Int), starved, end, broken }

    fileprivate struct State {
        var chunks: [[UInt8]] = []
        var first = 0
        var offset = 0
        var waiting = 0
        var taken = false
        var isStarved = false
        var hasEnded = false
        var isClosed = false
        var feeder: CheckedContinuation<Bool, Never>?
    }

    private let state = Mutex(State())
    private let bound: Int
    private let fed: @Sendable () -> Void

    /// `fed` is called when there are bytes, or the end, after a draw found none.
    init(bound: Int, fed: @escaping @Sendable () -> Void) {
        self.bound = bound
        self.fed = fed
    }

    /// Keeps the bytes, and waits while there are too many. False when nobody wants more.
    func feed(_ bytes: [UInt8]) async -> Bool {
        guard !bytes.isEmpty else { return state.withLock { !$0.isClosed } }
        let wakes = state.withLock { state in
            state.chunks.append(bytes)
            state.waiting += bytes.count
            defer { state.isStarved = false }
            return state.isStarved
        }
        if wakes { fed() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                let known: Bool? = state.withLock { state in
                    if state.isClosed || Task.isCancelled { return false }
                    if state.waiting < bound { return true }
                    state.feeder = caller
                    return nil
                }
                if let known { caller.resume(returning: known) }
            }
        } onCancel: {
            release(false)
        }
    }

    /// The body is whole.
    func end() {
        let wakes = state.withLock { state in
            state.hasEnded = true
            defer { state.isStarved = false }
            return state.isStarved
        }
        if wakes { fed() }
    }

    /// Nobody draws any more.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.chunks = []
            state.first = 0
            state.waiting = 0
        }
        release(false)
    }

    /// Moves as many bytes as there are and fit.
    func draw(into room: UnsafeMutableRawBufferPointer) -> Draw {
        let (draw, feeder): (Draw, CheckedContinuation<Bool, Never>?) = state.withLock { state in
            guard !state.isClosed else { return (.broken, nil) }
            let count = state.move(into: room)
            if count == 0 {
                if state.hasEnded { return (.end, nil) }
                state.isStarved = true
                return (.starved, nil)
            }
            guard state.waiting <= bound / 2 else { return (.bytes(count), nil) }
            defer { state.feeder = nil }
            return (.bytes(count), state.feeder)
        }
        feeder?.resume(returning: true)
        return draw
    }

    /// Whether nobody draws any more.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Whether the body can still be sent from its beginning.
    var isUntouched: Bool { state.withLock { !$0.taken } }

    private func release(_ goOn: Bool) {
        let feeder = state.withLock { state in
            defer { state.feeder = nil }
            return state.feeder
        }
        feeder?.resume(returning: goOn)
    }
}

extension Outflow.State {
    fileprivate mutating func move(into room: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < room.count, first < chunks.count {
            let count = min(room.count - filled, chunks[first].count - offset)
            chunks[first].withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: room[filled..<filled + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
            }
            filled += count
            offset += count
            guard offset == chunks[first].count else { break }
            chunks[first] = []
            first += 1
            offset = 0
        }
        if first == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            first = 0
        }
        waiting -= filled
        taken = taken || filled > 0
        return filled
    }
}
