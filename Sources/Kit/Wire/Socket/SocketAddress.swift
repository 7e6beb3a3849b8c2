// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// An IP address and a port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// A numeric IPv4 or IPv6 address; `localhost` stands for 127.0.0.1. Names are not looked up: that would block a loop.
    package var host: String
    package var port: Int

    package init(_ host: String, _ port: Int) {
        self.host = host
        self.port = port
    }

    /// As in a URL: IPv6 in brackets.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The address as the kernel wants it, or nil when the host is not numeric.
    func kernelAddress() -> KernelAddress? {
        guard let port = UInt16(exactly: port) else { return nil }
        var four = sockaddr_in()
        if inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            return KernelAddress(four)
        }
        var six = sockaddr_in6()
        if inet_pton(AF_INET6, host, &six.sin6_addr) == 1 {
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            return KernelAddress(six)
        }
        return nil
    }
}

/// A `sockaddr` of either family, by value.
struct KernelAddress {
    private var storage = sockaddr_storage()
    private(set) var length: socklen_t

    init() { length = socklen_t(MemoryLayout<sockaddr_storage>.size) }

    init(_ address: sockaddr_in) {
        length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in.self) }
    }

    init(_ address: sockaddr_in6) {
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in6.self) }
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

    /// Host and port in words.
    var socketAddress: SocketAddress {
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
}
