// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CCurl
import Glibc

/// What every socket of ours is told before it connects.
enum TransportSocket {
    /// Finds a peer that is gone without a word within 30 seconds, and is not inherited by child processes.
    static func prepare(_ socket: curl_socket_t) -> Int32 {
        set(socket, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(socket, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 15)
        set(socket, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
        set(socket, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        // Keep-alive is silent while data of ours waits for its acknowledgement; this counts those seconds too.
        set(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 30_000)
        // An old kernel or a unix socket may know none of these; a connection is worth more than its options.
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        return CURL_SOCKOPT_OK
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
