// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import KubeCore

/// One candidate of an election over a Lease: what it knows, and what to do next.
///
/// Only its own clock decides. A rival's lease has run out when it did not change for its duration, as seen from
/// here. Our own lead ends `renewDeadline` after the moment *before* the last successful renewal was sent: whoever
/// else saw that renewal saw it later, and waits longer, so two never lead at once.
struct LeadershipState: Sendable {
    enum Step: Equatable {
        case read
        case create(Lease)
        /// With the version that was seen last, so that only one of several claims succeeds.
        case replace(Lease)
        case wait(until: Duration)
    }

    let key: ObjectKey
    let identity: String
    let timing: LeadershipTiming
    /// The lease as last seen; nil if there is none.
    private var lease: Lease?
    /// When the lease was first seen as it is.
    private var seenAt = Duration.zero
    /// Whether `lease` was read or written since the last wait or failure.
    private var isFresh = false
    /// When the write that makes us leader was sent; nil while following.
    private var renewedAt: Duration?
    private var notBefore = Duration.zero
    /// How often we came to lead.
    private(set) var term = 0

    init(key: ObjectKey, identity: String, timing: LeadershipTiming) {
        self.key = key
        self.identity = identity
        self.timing = timing
    }

    /// Until when we lead unless we renew; nil while following.
    func leadsUntil(at now: Duration) -> Duration? {
        guard let renewedAt, now < renewedAt + timing.renewDeadline else { return nil }
        return renewedAt + timing.renewDeadline
    }

    /// When somebody else may lead, if our last renewal was the last.
    var rivalsWaitUntil: Duration? { renewedAt.map { $0 + timing.lease } }

    /// Who leads as far as we know.
    var holder: String? { lease?.spec.holderIdentity.flatMap { $0.isEmpty ? nil : $0 } }

    /// What to do at this moment.
    ///
    /// - Parameter draw: a random number from 0 up to 1, so that candidates do not look in step.
    mutating func next(now: Duration, wall: Timestamp, draw: Double) -> Step {
        guard now >= notBefore else { return .wait(until: notBefore) }
        guard isFresh else { return .read }
        guard let lease else { return .create(claim(wall)) }
        let expiry = seenAt + duration(of: lease)
        if let holder, holder != identity, now < expiry {
            isFresh = false
            notBefore = min(now + timing.retry * (1 + 0.2 * draw), expiry)
            return .wait(until: notBefore)
        }
        return .replace(claim(wall))
    }

    /// The lease was read.
    mutating func observed(_ found: Lease?, at now: Duration) {
        if found != lease { seenAt = now }
        lease = found
        isFresh = true
        // Whoever may have come between: what is not ours ends our lead at once.
        if found?.spec.holderIdentity != identity { renewedAt = nil }
    }

    /// Our claim was accepted; it was sent at `sent`.
    mutating func wrote(_ written: Lease, sent: Duration, at now: Duration) {
        if leadsUntil(at: now) == nil { term += 1 }
        lease = written
        seenAt = now
        isFresh = true
        renewedAt = sent
        notBefore = sent + timing.retry
    }

    /// Somebody else wrote first: look who.
    mutating func conflicted() { isFresh = false }

    /// A request failed, and may have had its effect or not.
    mutating func failed(at now: Duration, draw: Double) {
        isFresh = false
        notBefore = now + (renewedAt == nil ? timing.retry * (1 + 0.2 * draw) : timing.retry / 2)
    }

    /// Ends our lead.
    mutating func stepDown() { renewedAt = nil }

    /// The lease to write so that the next one need not wait; nil if it is not ours.
    func freed(wall: Timestamp) -> Lease? {
        guard holder == identity, var free = lease else { return nil }
        free.spec.holderIdentity = nil
        free.spec.leaseDurationSeconds = 1
        free.spec.renewTime = MicroTime(wall)
        return free
    }

    private func claim(_ wall: Timestamp) -> Lease {
        var claim = lease ?? Lease()
        if lease == nil { claim.metadata = ObjectMeta(key) }
        if holder != identity {
            claim.spec.acquireTime = MicroTime(wall)
            claim.spec.leaseTransitions = lease == nil ? 0 : (claim.spec.leaseTransitions ?? 0) + 1
        }
        claim.spec.holderIdentity = identity
        claim.spec.leaseDurationSeconds = Int(timing.lease.components.seconds)
        claim.spec.renewTime = MicroTime(wall)
        return claim
    }

    private func duration(of lease: Lease) -> Duration {
        lease.spec.leaseDurationSeconds.map { .seconds($0) } ?? timing.lease
    }
}
