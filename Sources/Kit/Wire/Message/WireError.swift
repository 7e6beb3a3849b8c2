// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// Why a server or its loops could not start.
package enum WireError: Error, Equatable, CustomStringConvertible {
    /// The text is not an IP address.
    case notAnAddress(String)
    /// The text can be no path of a socket.
    case notAPath(String)
    /// The kernel takes no longer paths for sockets.
    case pathTooLong(String, limit: Int)
    /// A file of a server's certificate or key is of no use.
    case badCertificate(String, String)
    /// The address could not be listened on.
    case bindFailed(String, errno: Int32)
    /// The system refused something that a loop needs.
    case system(String, Int32)

    package var description: String {
        switch self {
        case .notAnAddress(let text): "wanted an IP address, found \"\(text)\""
        case .notAPath(let text): "wanted a path for a socket, found \"\(text)\""
        case .pathTooLong(let path, let limit):
            "wanted a path of at most \(limit) bytes for a socket, found \(path.utf8.count): \"\(path)\""
        case .badCertificate(let file, let reason): "cannot use \"\(file)\" for TLS: \(reason)"
        case .bindFailed(let address, let code): "cannot listen on \(address): \(reason(of: code))"
        case .system(let what, let code): "cannot make \(what): \(reason(of: code))"
        }
    }
}

/// The system's sentence for an error number.
func reason(of code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).lowercased()
}
