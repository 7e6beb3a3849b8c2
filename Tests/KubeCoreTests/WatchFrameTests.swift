// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import Testing

struct WatchFrameTests {
    private static let stream = Array(
        """
        {"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","resourceVersion":"5"},"status":{"phase":"Running"}}}
        {"object":{"metadata":{"name":"b","labels":{"x":"\\n}"}}},"type":"MODIFIED"}

        {"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9"}}}
        {"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}

        """.utf8)

    private func events(cutEvery size: Int) throws -> [WatchEvent<Pod>] {
        var framer = LineFramer()
        var events: [WatchEvent<Pod>] = []
        for start in stride(from: 0, to: Self.stream.count, by: size) {
            try framer.append(Array(Self.stream[start..<min(start + size, Self.stream.count)])) { line in
                events.append(try WatchDecoder<Pod>.decode(line))
            }
        }
        #expect(!framer.isMidLine)
        return events
    }

    @Test(arguments: [1, 2, 3, 7, 16, 64, 1000])
    func `a watch reads the same at every cut`(size: Int) throws {
        let events = try events(cutEvery: size)
        #expect(events.count == 4)
        guard case .added(let a) = events[0], case .modified(let b) = events[1] else {
            Issue.record("wanted an addition and a change, got \(events)")
            return
        }
        #expect(a.status.phase == "Running")
        #expect(b.metadata.labels == ["x": "\n}"])
        #expect(events[2] == .bookmark(resourceVersion: "9"))
        guard case .failed(let status) = events[3] else {
            Issue.record("wanted a failure, got \(events[3])")
            return
        }
        #expect(status.code == 410)
        #expect(status.reason == "Expired")
    }

    @Test func `a line that was cut off is known as such`() throws {
        var framer = LineFramer()
        try framer.append(Array("{\"type\":".utf8)) { _ in Issue.record("wanted no line") }
        #expect(framer.isMidLine)
    }

    @Test func `a line beyond the limit is refused`() {
        var framer = LineFramer(limit: 10)
        #expect(throws: LineFramer.TooLong.self) { try framer.append([UInt8](repeating: 0x20, count: 11)) { _ in } }
    }

    @Test(arguments: ["{}", #"{"type":"SOMETHING","object":{}}"#, #"{"type":"ADDED"}"#, #"{"type":"ADDED","object":[]}"#])
    func `a frame that is none is refused`(line: String) {
        #expect(throws: JSONError.self) { try WatchDecoder<Pod>.decode(Array(line.utf8)[...]) }
    }
}
