// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// Where a server listens or an upstream is reached: an IP address and a port, or a path for sockets of this machine.
package enum SocketAddress: Hashable, Sendable {
    /// A numeric IPv4 or IPv6 address; `localhost` stands for 127.0.0.1. Names are not looked up: that would block a loop.
    case internet(host: String, port: Int)
    /// A socket in the file system.
    case unix(path: String)

    package init(_ host: String, _ port: Int) { self = .internet(host: host, port: port) }

    package init(unix path: String) { self = .unix(path: path) }

    /// The port; 0 for a path.
    package var port: Int {
        switch self {
        case .internet(_, let port): port
        case .unix: 0
        }
    }

    /// Bytes that the kernel has room for in a path, without the NUL that ends it.
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// The address as the kernel wants it.
    func kernelAddress() throws(WireError) -> KernelAddress {
        switch self {
        case .internet(let host, let port):
            guard let port = UInt16(exactly: port), let address = KernelAddress(host: host, port: port) else {
                throw .notAnAddress(host)
            }
            return address
        case .unix(let path):
            let bytes = Array(path.utf8)
            guard !bytes.isEmpty, !bytes.contains(0) else { throw .notAPath(path) }
            guard bytes.count <= Self.longestPath else { throw .pathTooLong(path, limit: Self.longestPath) }
            return KernelAddress(path: bytes)
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// As in a URL: IPv6 in brackets.
    package var description: String {
        switch self {
        case .internet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// A `sockaddr` of any family, by value.
struct KernelAddress {
    private var storage = sockaddr_storage()
    private(set) var length: socklen_t

    /// Room for what the kernel will tell.
    init() { length = socklen_t(MemoryLayout<sockaddr_storage>.size) }

    /// Nil when the host is not numeric.
    init?(host: String, port: UInt16) {
        var four = sockaddr_in()
        var six = sockaddr_in6()
        if inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: four, as: sockaddr_in.self) }
        } else if inet_pton(AF_INET6, host, &six.sin6_addr) == 1 {
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: six, as: sockaddr_in6.self) }
        } else {
            return nil
        }
    }

    /// A path that is short enough.
    init(path: [UInt8]) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.prefix($0.count - 1)) }
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_un.self) }
    }

    var family: Int32 { Int32(storage.ss_family) }

    func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: storage) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) } }
    }

    mutating func withMutablePointer<R>(_ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> R) -> R {
        var length = length
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
        self.length = length
        return result
    }

    /// Host and port, or path, in words; a caller over a socket in the file system has no name.
    var socketAddress: SocketAddress {
        if family == AF_UNIX { return .unix(path: path) }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        return withUnsafeBytes(of: storage) { bytes in
            var port: UInt16 = 0
            if family == AF_INET6 {
                var address = bytes.load(as: sockaddr_in6.self)
                port = address.sin6_port
                inet_ntop(AF_INET6, &address.sin6_addr, &text, socklen_t(text.count))
            } else {
                var address = bytes.load(as: sockaddr_in.self)
                port = address.sin_port
                inet_ntop(AF_INET, &address.sin_addr, &text, socklen_t(text.count))
            }
            let host = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            return SocketAddress(host, Int(UInt16(bigEndian: port)))
        }
    }

    private var path: String {
        let start = MemoryLayout<sa_family_t>.size
        return withUnsafeBytes(of: storage) { bytes in
            String(decoding: bytes[start..<max(start, min(Int(length), bytes.count))].prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
