// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One loop's connections to all addresses.
final class UpstreamPool: @unchecked Sendable {
    // SAFETY: apart from `counters` (atomics) and constants, touched on the loop's thread only: `send` is called there, and other
    // threads come in through `loop.post`.
    let loop: WireLoop
    let limits: UpstreamLimits
    let counters = UpstreamCounters()
    private var lines: [SocketAddress: UpstreamLine] = [:]

    init(on loop: WireLoop, limits: UpstreamLimits) {
        self.loop = loop
        self.limits = limits
    }

    func send(_ call: UpstreamCall, to address: SocketAddress) async -> Result<GRPCReply, UpstreamError> {
        loop.assertCurrent()
        counters.calls.count()
        counters.callsInFlight.count()
        return await withTaskCancellationHandler {
            // Unsafe only in that forgetting to resume goes unnoticed: `UpstreamCall.finish` does it, once, and its deadline sees to it.
            await withUnsafeContinuation { continuation in
                call.begin(continuation, in: self)
                line(to: address).start(call)
            }
        } onCancel: {
            loop.post { call.fail(.cancelled) }
        }
    }

    private func line(to address: SocketAddress) -> UpstreamLine {
        if let line = lines[address] { return line }
        let line = UpstreamLine(to: address, in: self)
        lines[address] = line
        return line
    }

    /// Pods come and go: an address without connections and calls is forgotten.
    func forget(_ line: UpstreamLine) { lines[line.address] = nil }

    func closeAll() {
        for line in lines.values { line.closeAll() }
    }
}

/// One loop's connections to one address, and the calls that wait for a free stream.
final class UpstreamLine {
    let address: SocketAddress
    private unowned let pool: UpstreamPool
    private let kernelAddress: Result<KernelAddress, WireError>
    private var connections: [UpstreamConnection] = []
    private var waiting: [UpstreamCall] = []

    init(to address: SocketAddress, in pool: UpstreamPool) {
        self.address = address
        self.pool = pool
        kernelAddress = Result { () throws(WireError) in try address.kernelAddress() }
    }

    /// Sends the call on a connection with room, on a new one, or when one has room again.
    func start(_ call: UpstreamCall) {
        for connection in connections where connection.hasRoom && connection.submit(call) { return }
        if mayOpen { return open(for: call) }
        guard waiting.count < pool.limits.waiting else {
            pool.counters.callsTurnedAway.count()
            return call.fail(.notSent("\(waiting.count) calls wait for \(address) already"))
        }
        call.queue = self
        waiting.append(call)
    }

    /// A connection whose room is not known yet is waited for.
    private var mayOpen: Bool {
        !connections.contains(where: \.mayGetRoom) && connections.count(where: \.takesCalls) < pool.limits.connections
    }

    private func open(for call: UpstreamCall) {
        do {
            let connection = try UpstreamConnection(to: kernelAddress.get(), line: self, pool: pool)
            connections.append(connection)
            if !connection.submit(call) { call.fail(.notSent("cannot open a stream to \(address)")) }
        } catch {
            forgetIfEmpty()
            call.fail(.notSent("cannot connect to \(address): \(error)"))
        }
    }

    /// A stream or a connection became free.
    func roomAppeared() {
        while !waiting.isEmpty {
            guard mayOpen || connections.contains(where: \.hasRoom) else { return }
            let call = waiting.removeFirst()
            call.queue = nil
            start(call)
        }
    }

    func remove(_ call: UpstreamCall) { waiting.removeAll { $0 === call } }

    /// A connection has ended; where it never stood and none other does, `failure` says why and nobody waits any longer.
    func closed(_ connection: UpstreamConnection, without failure: String?) {
        connections.removeAll { $0 === connection }
        if let failure, !connections.contains(where: \.takesCalls) {
            for call in waiting { call.fail(.notSent(failure)) }
        }
        roomAppeared()
        forgetIfEmpty()
    }

    private func forgetIfEmpty() {
        if connections.isEmpty, waiting.isEmpty { pool.forget(self) }
    }

    func closeAll() {
        for call in waiting { call.fail(.notSent("closed")) }
        for connection in connections { connection.close("closed") }
    }
}
