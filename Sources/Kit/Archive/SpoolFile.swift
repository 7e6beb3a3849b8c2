// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import Synchronization

/// A temporary file for what cannot stream: written at its end, read anywhere.
///
/// *Guarantees*: it has no name from the start, so it is gone when its last holder lets go, or the program dies.
/// *Cost*: disk, not memory. Calls block for as long as the page cache does.
package final class SpoolFile: RandomAccess {
    private let descriptor: Int32
    private let end = Mutex<UInt64>(0)

    /// Makes an empty file in `folder`.
    package init(in folder: String) throws(ArchiveError) {
        var template = Array((folder + "/spool-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .spool("cannot make a file in \"\(folder)\": \(SpoolFile.reason())") }
        self.descriptor = descriptor
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        close(descriptor)
    }

    package var size: UInt64 { end.withLock { $0 } }

    /// Writes `bytes` after the last ones. One writer at a time.
    package func append(_ bytes: [UInt8]) throws(ArchiveError) {
        var offset = size
        var start = 0
        while start < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress.map { $0 + start }, bytes.count - start, off_t(offset))
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .spool("cannot write \(bytes.count - start) bytes at \(offset): \(SpoolFile.reason())") }
            start += written
            offset += UInt64(written)
        }
        end.withLock { $0 = offset }
    }

    package func read(at offset: UInt64, count: Int) throws(ArchiveError) -> [UInt8] {
        let available = size
        guard offset < available else { return [] }
        let wanted = Int(min(UInt64(count), available - offset))
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            filled = 0
            while filled < wanted, !failed {
                let got = pread(descriptor, buffer.baseAddress.map { $0 + filled }, wanted - filled, off_t(offset) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                if got <= 0 { failed = true } else { filled += got }
            }
        }
        guard !failed else { throw .spool("cannot read \(wanted) bytes at \(offset): \(SpoolFile.reason())") }
        return bytes
    }

    private static func reason() -> String {
        String(cString: strerror(errno))
    }
}
