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

    @Test func `an outbox gives its own bytes and lent ones in order, however little is taken at a time`() {
        var outbox = Outbox()
        var given: [UInt8] = []
        var taken: [UInt8] = []
        let vectors = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 7)
        defer { vectors.deallocate() }
        func take(_ most: Int) {
            let (count, bytes) = outbox.gather(into: vectors)
            let gathered = vectors[..<count].flatMap { Array(UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len)) }
            #expect(gathered.count == bytes && bytes <= outbox.count)
            taken += gathered.prefix(most)
            outbox.drop(min(most, bytes))
        }
        for round in 0..<400 {
            let piece = (0..<(round * 131 % 9000)).map { UInt8(truncatingIfNeeded: $0 ^ round) }
            if round % 3 == 0 { outbox.append(piece) } else { outbox.lend(piece[...]) }
            given += piece
            take(round * 977 % 12_000)
            #expect(outbox.count == given.count - taken.count)
        }
        while !outbox.isEmpty { take(4096) }
        #expect(taken == given)
    }

    @Test func `a payload is the same copied or lent, with gRPC's prefix and without, from any place`() {
        let bytes = (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let vectors = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 8)
        defer { vectors.deallocate() }
        for (payload, whole) in [(Payload(bytes[3...]), Array(bytes[3...])), (Payload(message: bytes[3...]), framed(Array(bytes[3...])))] {
            #expect(payload.count == whole.count)
            for start in [0, 1, 4, 5, 6, 4500] {
                for count in [0, 1, 3, 4200, payload.count - start] where start + count <= payload.count {
                    let copy = [UInt8](unsafeUninitializedCapacity: count + 1) { room, used in
                        if let base = room.baseAddress { payload.copy(from: start, count, into: base) }
                        used = count
                    }
                    var outbox = Outbox()
                    payload.lend(from: start, count, to: &outbox)
                    let pieces = vectors[..<outbox.gather(into: vectors).count]
                    #expect(copy == Array(whole[start..<(start + count)]))
                    #expect(pieces.flatMap { Array(UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len)) } == copy)
                }
            }
        }
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
