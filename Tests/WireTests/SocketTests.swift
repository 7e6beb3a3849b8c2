// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
import LoopbackTesting
import Testing

@testable import Wire

struct SocketTests {
    @Test(arguments: ["127.0.0.1", "10.1.2.3", "::1", "fd00::12"])
    func `a numeric address survives the way to the kernel and back`(host: String) throws {
        let address = SocketAddress(host, 8080)
        #expect(try address.kernelAddress().socketAddress == address)
    }

    @Test(arguments: ["", "example.org", "1.2.3", "[::1]"])
    func `anything else is no address`(host: String) {
        #expect(throws: WireError.notAnAddress(host)) { try SocketAddress(host, 80).kernelAddress() }
    }

    @Test func `a server and a caller meet at a path, which only its owner and group may use, and which is gone at the end`() async throws {
        let folder = try TemporaryFolder()
        let address = SocketAddress(unix: folder.path + "/a.sock")
        // What a crash leaves: a file on which nobody listens.
        let left = try ListeningSocket.open(address, count: 1)
        close(left.descriptors[0])
        try await serving(at: address, loops: 2, handler: Answering { .grpc(message: Array($0.peer.utf8)) }) { server in
            var found = stat()
            #expect(lstat(folder.path + "/a.sock", &found) == 0 && found.st_mode & 0o777 == 0o660)
            let upstreams = GRPCUpstreams(loops: try WireLoops(count: 1))
            let reply = try await upstreams.unary(to: address, path: "/", message: [1], deadline: .now + .seconds(20))
            #expect(reply.message.elementsEqual("unix:".utf8))
            // One that is in use is left alone.
            #expect(throws: WireError.bindFailed("\(address)", errno: EADDRINUSE)) { try ListeningSocket.open(address, count: 1) }
        }
        #expect(access(folder.path + "/a.sock", F_OK) != 0)
    }

    @Test func `a path that is too long, no path, or something else already is refused by name`() async throws {
        let folder = try TemporaryFolder()
        let long = "/" + String(repeating: "a", count: 107)
        #expect(throws: WireError.pathTooLong(long, limit: 107)) { try SocketAddress(unix: long).kernelAddress() }
        #expect(throws: WireError.notAPath("")) { try SocketAddress(unix: "").kernelAddress() }
        #expect(throws: WireError.bindFailed("unix:\(folder.path)", errno: EEXIST)) {
            try ListeningSocket.open(SocketAddress(unix: folder.path), count: 1)
        }
        let upstreams = GRPCUpstreams(loops: try WireLoops(count: 1))
        await #expect {
            _ = try await upstreams.unary(to: SocketAddress(unix: long), path: "/", message: [], deadline: .now + .seconds(20))
        } throws: { error in
            if case .notSent(let reason)? = error as? UpstreamError { reason.contains("at most 107 bytes") } else { false }
        }
    }

    @Test func `a queue gives back what it was given, however it is taken`() {
        var queue = ByteQueue()
        var given: [UInt8] = []
        var taken: [UInt8] = []
        for round in 0..<300 {
            let piece = (0..<(round * 7 % 1500)).map { UInt8(truncatingIfNeeded: $0 ^ round) }
            queue.append(piece)
            given += piece
            let count = min(queue.count, round * 13 % 1400)
            queue.withBytes { taken += $0[..<count] }
            queue.drop(count)
        }
        queue.withBytes { taken += $0 }
        #expect(taken == given)
    }

    @Test(arguments: [0, 7, 10, 200, 65_536]) func `a number is written in digits`(number: Int) {
        var queue = ByteQueue()
        queue.append(decimal: number)
        queue.withBytes { #expect(String(decoding: $0, as: UTF8.self) == "\(number)") }
    }

    @Test func `a server that was never run gives its port back, and a taken port is named`() throws {
        let loops = try WireLoops(count: 2)
        var port = 0
        do {
            let server = WireServer(address: "127.0.0.1", port: 0, loops: loops, handler: Answering { _ in WireResponse() }, logger: quiet)
            try server.bind()
            port = server.port
            #expect(port > 0)
        }
        let again = WireServer(address: "127.0.0.1", port: port, loops: loops, handler: Answering { _ in WireResponse() }, logger: quiet)
        try again.bind()
        let elsewhere = WireServer(address: "example.org", port: 0, loops: loops, handler: Answering { _ in WireResponse() }, logger: quiet)
        #expect(throws: WireError.notAnAddress("example.org")) { try elsewhere.bind() }
    }
}

/// A folder that goes away with its owner.
final class TemporaryFolder {
    let path: String

    init() throws {
        var name = Array("/tmp/wire-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw LoopbackError("wanted a folder, found error \(errno)") }
        path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    // What cannot be removed is the system's to sweep.
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
