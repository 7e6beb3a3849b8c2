// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
internal import Synchronization

/// A file descriptor that takes whole lines: lines of several threads never mix.
package final class LogSink: Sendable {
    private let descriptor: Int32
    private let lost = Mutex<Int>(0)

    /// Standard error.
    package static let standardError = LogSink(descriptor: STDERR_FILENO)

    /// Writes to a descriptor that stays open as long as the sink lives, and that somebody else closes.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// How many lines did not get out, whole: the reader was gone, or the disk was full.
    package var lostLines: Int { lost.withLock { $0 } }

    /// Whether a person is looking.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes the bytes, all or as far as the descriptor takes them. A failure is counted: there is nobody to tell.
    package func write(_ bytes: [UInt8]) {
        lost.withLock { lost in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    lost += 1
                    return
                }
            }
        }
    }
}
