// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Wire

struct GRPCFramingTests {
    @Test(arguments: [
        ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("4m", .milliseconds(4)), ("5u", .microseconds(5)),
        ("99999999n", .nanoseconds(99_999_999)),
    ])
    func `a timeout reads as it is meant`(text: String, duration: Duration) {
        #expect(GRPCTimeout.parse(Array(text.utf8)[...]) == duration)
    }

    @Test(arguments: ["", "1", "S", "123456789S", "-1S", "1s", "1.5S", " 1S"])
    func `a malformed timeout is none`(text: String) {
        #expect(GRPCTimeout.parse(Array(text.utf8)[...]) == nil)
    }

    @Test(arguments: [
        (Duration.zero, "0n"), (.milliseconds(10), "10000000n"), (.seconds(2), "2000000u"), (.seconds(1000), "1000000m"),
        (.seconds(200_000), "200000S"), (.seconds(-1), "0n"), (.seconds(Int64.max), "2562047H"),
    ])
    func `a timeout is written in the finest unit with room`(duration: Duration, text: String) {
        let (count, unit) = GRPCTimeout.format(duration)
        #expect("\(count)\(unit)" == text)
    }

    @Test func `any message survives its encoding, and stays in one line`() {
        let message = "100% \"grün\"\r\n\u{0}ü"
        let encoded = GRPCStatus(.unknown, message).encodedMessage
        #expect(encoded.utf8.allSatisfy { $0 >= 32 && $0 < 127 })
        #expect(GRPCStatus.decode(message: Array(encoded.utf8)[...]) == message)
    }

    @Test(arguments: [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("a%41", "aA")])
    func `what is not encoded properly is read as it stands`(text: String, message: String) {
        #expect(GRPCStatus.decode(message: Array(text.utf8)[...]) == message)
    }

    @Test func `a frame gives its message back`() throws {
        for message in [[], [7], [UInt8](repeating: 1, count: 70_000)] as [[UInt8]] {
            #expect(try Array(GRPCFraming.message(in: GRPCFraming.frame(message[...]))) == message)
        }
    }

    @Test(
        arguments: [
            ([], GRPCCode.internal), ([0, 0, 0, 0], .internal), ([0, 0, 0, 0, 1], .internal), ([0, 0, 0, 0, 0, 9], .internal),
            ([1, 0, 0, 0, 0], .unimplemented), ([2, 0, 0, 0, 0], .internal),
        ] as [([UInt8], GRPCCode)])
    func `a body that is not one plain message is refused`(body: [UInt8], code: GRPCCode) {
        let request = WireRequest(path: "/", body: body)
        #expect { try request.grpcMessage() } throws: { ($0 as? GRPCStatus)?.code == code }
    }
}
