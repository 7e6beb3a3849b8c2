// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import Synchronization

/// A small HTTP/1.1 server on loopback whose answers a test writes. One thread for each connection.
package final class LoopbackServer: Sendable {
    private struct State {
        var seen: [LoopbackRequest] = []
        var live: Set<Int32> = []
        var isStopped = false
    }

    private let listener: Int32
    private let state = Mutex(State())
    private let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer
    /// An answer to the head alone; the body is then never read.
    let early: @Sendable (LoopbackRequest) -> LoopbackAnswer?

    /// The port that the kernel chose.
    package let port: Int
    /// Connections accepted, requests read whole, and connections that ended.
    package let connections = Tally()
    package let requests = Tally()
    package let departures = Tally()
    /// Bodies of requests are read only once this is open.
    package let readsBodies: Gate
    let stopping = Gate()

    /// Listens on a free port at once. `answer` is called on the connection's own thread; `early` before it, with the
    /// head alone, and where it answers the body stays unread and the connection waits for the client to leave.
    package init(
        readsBodies: Gate = Gate(open: true), early: @escaping @Sendable (LoopbackRequest) -> LoopbackAnswer? = { _ in nil },
        _ answer: @escaping @Sendable (LoopbackRequest) -> LoopbackAnswer
    ) throws {
        (listener, port) = try Self.listen()
        self.readsBodies = readsBodies
        self.early = early
        self.answer = answer
        startThread { [self] in acceptAll() }
    }

    /// A server that plays a scenario.
    package convenience init(playing scenario: Scenario) throws {
        try self.init { scenario.answer($0) }
    }

    /// `http://127.0.0.1:port` and the path.
    package func url(_ path: String = "") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// The requests read so far, in order of arrival.
    package var seen: [LoopbackRequest] { state.withLock { $0.seen } }

    /// Ends every connection and frees the port; may be called twice.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for connection in state.live { shutdown(connection, Int32(SHUT_RDWR)) }
            shutdown(listener, Int32(SHUT_RDWR))
        }
        stopping.open()
    }

    /// Ends the connections of this moment and goes on listening.
    package func dropConnections() {
        state.withLock { state in
            for connection in state.live { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    func respond(to request: LoopbackRequest) -> LoopbackAnswer {
        state.withLock { $0.seen.append(request) }
        requests.add()
        return answer(request)
    }

    private func acceptAll() {
        while true {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            let isWelcome = state.withLock { state in
                if !state.isStopped { state.live.insert(socket) }
                return !state.isStopped
            }
            guard isWelcome else {
                close(socket)
                continue
            }
            connections.add()
            let connection = LoopbackConnection(socket: socket, number: connections.count, server: self)
            startThread { [self] in
                connection.serve()
                // Closed under the lock, so that nobody shuts down a descriptor that was given anew.
                state.withLock { state in
                    state.live.remove(socket)
                    close(socket)
                }
                departures.add()
            }
        }
        close(listener)
    }

    private static func listen() throws -> (Int32, Int) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw LoopbackError("wanted a socket, found error \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutableBytes(of: &address) { bytes in
            let general = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            return bind(listener, general, size) == 0 && Glibc.listen(listener, 512) == 0 && getsockname(listener, general, &size) == 0
        }
        guard bound else {
            close(listener)
            throw LoopbackError("wanted to listen on loopback, found error \(errno)")
        }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }
}

/// Runs the body on a thread of its own, which ends with it.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let failure = pthread_create(
        &thread, nil,
        { pointer in
            guard let pointer else { return nil }
            Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    precondition(failure == 0, "wanted a thread, found error \(failure)")
    pthread_detach(thread)
}
