// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Foundation
import Glibc
import LoopbackTesting

@testable import Wire

/// Begins to drain, and waits until every loop has heard of it.
func drain(_ server: WireServer) async {
    server.beginDrain()
    for loop in server.loops.all {
        await withCheckedContinuation { heard in loop.post { heard.resume() } }
    }
}

/// A plain socket that says and hears bytes. Waiting is done off the task threads, ten seconds at most.
final class RawPeer: @unchecked Sendable {
    // SAFETY: the descriptor never changes; the kernel takes care of the rest. A test uses a peer from one task.
    private let descriptor: Int32
    private var heard: [UInt8] = []

    init(taking descriptor: Int32) {
        self.descriptor = descriptor
        limitPatience(of: descriptor)
    }

    /// Connects to a loopback port.
    convenience init(port: Int, receiveBuffer: Int32? = nil) throws {
        self.init(taking: try connectedSocket(to: port, receiveBuffer: receiveBuffer))
    }

    deinit { close(descriptor) }

    func say(_ text: String) async throws { try await say(Array(text.utf8)) }

    func say(_ bytes: [UInt8]) async throws {
        try await offTasks { [descriptor] in
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw LoopbackError("wanted to say \(bytes.count) bytes, said \(sent)") }
                sent += count
            }
        }
    }

    /// Everything up to and with the text; throws when the other side ends before.
    func hear(upTo text: String) async throws -> String {
        let end = Array(text.utf8)
        return String(
            decoding: try await hear { all in
                guard all.count >= end.count else { return nil }
                return (0...(all.count - end.count)).first { all[$0..<($0 + end.count)].elementsEqual(end) }.map { $0 + end.count }
            }, as: UTF8.self)
    }

    func hear(_ count: Int) async throws -> [UInt8] { try await hear { $0.count >= count ? count : nil } }

    /// Everything until the other side ends.
    func hearAll() async throws -> String {
        while try await more() {}
        defer { heard = [] }
        return String(decoding: heard, as: UTF8.self)
    }

    private func hear(_ enough: ([UInt8]) -> Int?) async throws -> [UInt8] {
        while true {
            if let count = enough(heard) {
                defer { heard.removeFirst(count) }
                return Array(heard[..<count])
            }
            guard try await more() else {
                throw LoopbackError("wanted more, found the end after \"\(String(decoding: heard, as: UTF8.self))\"")
            }
        }
    }

    /// False at the end, be it polite or a reset.
    private func more() async throws -> Bool {
        let fresh = try await offTasks { [descriptor] () throws -> [UInt8]? in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN { throw LoopbackError("wanted bytes or the end, found silence") }
            return count > 0 ? Array(buffer[..<count]) : nil
        }
        heard += fresh ?? []
        return fresh != nil
    }

    func finishSaying() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Leaves without a word: the other side sees a reset.
    func vanish() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        // The descriptor stays ours until deinit; a null device takes the socket's place, which closes it.
        let nowhere = open("/dev/null", O_RDWR)
        dup2(nowhere, descriptor)
        close(nowhere)
    }
}

/// A listening socket whose connections a test plays by hand.
final class RawListener: Sendable {
    private let descriptor: Int32
    let port: Int

    /// One that does not listen keeps its port from others, and refuses every caller.
    init(listens: Bool = true) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && (!listens || listen(descriptor, 16) == 0)
                    ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard code == 0 else { throw LoopbackError("wanted to listen, found error \(errno)") }
    }

    deinit { close(descriptor) }

    func accept() async throws -> RawPeer {
        try await offTasks { [descriptor] in
            let peer = Glibc.accept(descriptor, nil, nil)
            guard peer >= 0 else { throw LoopbackError("wanted a caller, found none") }
            return RawPeer(taking: peer)
        }
    }
}

/// A blocking socket to a loopback port, which waits ten seconds at most.
func connectedSocket(to port: Int, receiveBuffer: Int32? = nil) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    var address = loopback(port)
    let code = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard code == 0 else { throw LoopbackError("wanted a connection to port \(port), found error \(errno)") }
    limitPatience(of: descriptor)
    return descriptor
}

private func limitPatience(of descriptor: Int32) {
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// Runs a blocking call on a thread that tasks do not need.
func offTasks<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
