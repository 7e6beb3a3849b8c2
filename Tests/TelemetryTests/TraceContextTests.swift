// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Telemetry
import Testing

struct TraceContextTests {
    static let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func `a header is read and written back`() throws {
        let context = try #require(TraceContext(header: Self.header))
        #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(context.parentID == "00f067aa0ba902b7")
        #expect(context.isSampled)
        #expect(context.description == Self.header)
    }

    @Test(arguments: [
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ])
    func `a version to come is read as far as ours goes`(header: String) {
        #expect(TraceContext(header: header)?.description == Self.header)
    }

    @Test(arguments: [
        "", "00", header + "-more", header + "0", "ff" + header.dropFirst(2), "01" + header.dropFirst(2) + "more",
        "0" + header.dropFirst(1).dropLast(),
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "0é-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
    ])
    func `what the standard says to ignore is ignored`(header: String) {
        #expect(TraceContext(header: header) == nil)
    }

    @Test func `a child keeps the trace, has its own span, and drops flags it does not know`() throws {
        var random = SystemRandomNumberGenerator()
        let parent = try #require(TraceContext(header: Self.header.dropLast(2) + "ff"))
        let child = parent.child(using: &random)
        #expect(child.traceID == parent.traceID)
        #expect(child.parentID != parent.parentID)
        #expect(child.flags == 1)
    }

    @Test func `what we make, we read`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let context = TraceContext(using: &random)
            #expect(TraceContext(header: context.description) == context)
            #expect(RequestID(header: RequestID(using: &random).text) != nil)
        }
    }

    @Test func `a made request id is a UUID of version 4`() {
        struct Ones: RandomNumberGenerator { mutating func next() -> UInt64 { .max } }
        var ones = Ones()
        #expect(RequestID(using: &ones).text == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    }

    @Test(arguments: [
        ("abc-1_2.3:/+=@", true), ("", false), ("a b", false), ("a\nb", false), ("é", false), (String(repeating: "a", count: 128), true),
        (String(repeating: "a", count: 129), false),
    ])
    func `a caller's request id is taken only if it is safe`(header: String, isTaken: Bool) {
        #expect((RequestID(header: header) != nil) == isTaken)
    }
}
