// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// Small files of configuration, read whole.
enum ConfigFile {
    /// At most a MiB; anything longer is not what it should be.
    static func bytes(_ path: String) throws(ClusterConfigError) -> [UInt8] {
        let limit = 1 << 20
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ClusterConfigError("wanted the file \(path), found: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var content: [UInt8] = []
        while content.count <= limit {
            var count = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, filled in
                repeat { count = read(file, buffer.baseAddress, buffer.count) } while count < 0 && errno == EINTR
                filled = max(0, count)
            }
            guard count >= 0 else { throw ClusterConfigError("wanted to read \(path), found: \(String(cString: strerror(errno)))") }
            if count == 0 { return content }
            content += chunk
        }
        throw ClusterConfigError("wanted at most \(limit) bytes in \(path), found more")
    }

    /// The file as text without the blanks and newlines around it.
    static func text(_ path: String) throws(ClusterConfigError) -> String {
        let blank: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
        let content = try bytes(path)
        let end = content.lastIndex { !blank($0) }.map { $0 + 1 } ?? 0
        return String(decoding: content[..<end].drop(while: blank), as: UTF8.self)
    }
}
