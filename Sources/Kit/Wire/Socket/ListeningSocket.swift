// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc
import Synchronization

/// How a server comes to the sockets that it listens on.
enum ListeningSocket {
    /// One socket for each of `count` loops, all on one address, and the address as it is bound.
    ///
    /// On a port each is a socket of its own, so that the kernel spreads connections; a path has one socket, under several numbers.
    static func open(
        _ address: SocketAddress, count: Int
    ) throws(WireError) -> (descriptors: [Int32], bound: SocketAddress, file: SocketFile?) {
        var descriptors: [Int32] = []
        var bound = address
        var file: SocketFile?
        do throws(WireError) {
            if case .unix(let path) = address {
                let (descriptor, made) = try open(path: path)
                descriptors.append(descriptor)
                file = made
                while descriptors.count < count {
                    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
                    guard copy >= 0 else { throw .system("socket", errno) }
                    descriptors.append(copy)
                }
            } else {
                while descriptors.count < count {
                    let descriptor = try open(port: bound)
                    descriptors.append(descriptor)
                    bound = name(of: descriptor)
                }
            }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            file?.remove()
            throw error
        }
        return (descriptors, bound, file)
    }

    private static func open(port address: SocketAddress) throws(WireError) -> Int32 {
        let wanted = try address.kernelAddress()
        let descriptor = try make(wanted.family)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, socklen_t(MemoryLayout<Int32>.size))
        try listen(descriptor, on: wanted, named: address)
        return descriptor
    }

    private static func open(path: String) throws(WireError) -> (Int32, SocketFile) {
        let address = SocketAddress(unix: path)
        let wanted = try address.kernelAddress()
        try removeStale(path, at: wanted)
        let descriptor = try make(AF_UNIX)
        // Twice: Linux gives the file the socket's own mode, less the umask, so it is never open to all; then exactly.
        fchmod(descriptor, 0o660)
        try listen(descriptor, on: wanted, named: address)
        guard chmod(path, 0o660) == 0, let file = SocketFile(path) else {
            let code = errno
            close(descriptor)
            throw .bindFailed("\(address)", errno: code)
        }
        return (descriptor, file)
    }

    /// A socket file that nobody listens on any more is what a crash leaves; anything else is not ours to remove.
    private static func removeStale(_ path: String, at address: KernelAddress) throws(WireError) {
        var found = stat()
        guard lstat(path, &found) == 0 else { return }
        guard found.st_mode & S_IFMT == S_IFSOCK else { throw .bindFailed("unix:\(path)", errno: EEXIST) }
        let descriptor = try make(AF_UNIX)
        defer { close(descriptor) }
        let isDead = address.withPointer { connect(descriptor, $0, $1) } != 0 && errno == ECONNREFUSED
        guard isDead else { throw .bindFailed("unix:\(path)", errno: EADDRINUSE) }
        unlink(path)
    }

    private static func make(_ family: Int32) throws(WireError) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        return descriptor
    }

    private static func listen(_ descriptor: Int32, on wanted: KernelAddress, named address: SocketAddress) throws(WireError) {
        guard wanted.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 1024) == 0 else {
            let code = errno
            close(descriptor)
            throw .bindFailed("\(address)", errno: code)
        }
    }

    private static func name(of descriptor: Int32) -> SocketAddress {
        var bound = KernelAddress()
        _ = bound.withMutablePointer { getsockname(descriptor, $0, &$1) }
        return bound.socketAddress
    }
}

/// A socket's file, removed once, and only while it is the one that was made.
final class SocketFile: Sendable {
    private let path: String
    private let device: UInt
    private let inode: UInt
    private let isGone = Atomic<Bool>(false)

    init?(_ path: String) {
        var found = stat()
        guard lstat(path, &found) == 0 else { return nil }
        self.path = path
        device = UInt(found.st_dev)
        inode = UInt(found.st_ino)
    }

    deinit { remove() }

    func remove() {
        guard !isGone.exchange(true, ordering: .relaxed) else { return }
        var found = stat()
        guard lstat(path, &found) == 0, UInt(found.st_dev) == device, UInt(found.st_ino) == inode else { return }
        unlink(path)
    }
}
