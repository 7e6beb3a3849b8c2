// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CLinux
import Glibc

/// Something that a scripted answer waits for and a test lets happen. Once open it stays open.
package final class Gate: Sendable {
    /// Readable from the moment the gate is open: an event counter that nobody reads.
    let descriptor: Int32

    package init(open: Bool = false) {
        descriptor = eventfd(open ? 1 : 0, Int32(EFD_CLOEXEC))
        precondition(descriptor >= 0, "wanted an event descriptor, found error \(errno)")
    }

    deinit { close(descriptor) }

    /// Lets everyone through who waits, and everyone who comes later.
    package func open() { _ = eventfd_write(descriptor, 1) }

    package var isOpen: Bool {
        var look = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&look, 1, 0) == 1
    }
}
