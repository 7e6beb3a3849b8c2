// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Wire

struct SocketTests {
    @Test(arguments: ["127.0.0.1", "10.1.2.3", "::1", "fd00::12"])
    func `a numeric address survives the way to the kernel and back`(host: String) {
        let address = SocketAddress(host, 8080)
        #expect(address.kernelAddress()?.socketAddress == address)
    }

    @Test(arguments: ["", "example.org", "1.2.3", "[::1]"])
    func `anything else is no address`(host: String) {
        #expect(SocketAddress(host, 80).kernelAddress() == nil)
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
