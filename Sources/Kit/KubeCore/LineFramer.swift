// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Cuts a stream of chunks into lines, whatever the cuts between chunks.
package struct LineFramer: Sendable {
    /// A line was longer than allowed; what came before it was handed on.
    package struct TooLong: Error, Equatable { package var limit: Int }

    private var rest: [UInt8] = []
    private let limit: Int

    /// - Parameter limit: the longest line, in bytes; etcd holds no object over 1.5 MiB, and lists are no lines.
    package init(limit: Int = 16 << 20) { self.limit = limit }

    /// Whether a line has begun and not ended.
    package var isMidLine: Bool { !rest.isEmpty }

    /// Calls `line` with each line that `chunk` completes, without its newline; empty lines are left out.
    package mutating func append(_ chunk: [UInt8], _ line: (ArraySlice<UInt8>) throws -> Void) throws {
        var start = chunk.startIndex
        while let end = chunk[start...].firstIndex(of: 0x0a) {
            if rest.isEmpty {
                if end > start { try line(chunk[start..<end]) }
            } else {
                rest.append(contentsOf: chunk[start..<end])
                let whole = rest
                rest.removeAll(keepingCapacity: true)
                try line(whole[...])
            }
            start = end + 1
        }
        rest.append(contentsOf: chunk[start...])
        guard rest.count <= limit else { throw TooLong(limit: limit) }
    }
}
