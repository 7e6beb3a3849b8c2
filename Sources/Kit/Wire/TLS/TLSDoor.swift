// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One loop's way to the certificate: looks at the files again from time to time, when somebody comes.
final class TLSDoor {
    private let identity: TLSIdentity
    private let counters: ServerCounters
    private var context: TLSContext
    private var lookedAt: Int64?

    init(_ identity: TLSIdentity, counters: ServerCounters) {
        self.identity = identity
        self.counters = counters
        context = identity.current()
    }

    /// A session for a connection whose first bytes have come.
    func session(on descriptor: Int32, at now: Int64) -> TLSSession? {
        if lookedAt.map({ now - $0 >= identity.files.lookEvery.wholeNanoseconds }) ?? true {
            context = identity.current()
            lookedAt = now
        }
        return TLSSession(context, descriptor: descriptor, counters: counters)
    }
}
