// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Protos

/// The losses of every subject since the start, also of those whose routes are gone.
struct TapBooks {
    private var past: [TapMessages.Subject: TapMessages.Losses] = [:]
    private var live: [TapSubject] = []

    mutating func add(_ subjects: [TapSubject]) { live += subjects }

    /// The sum for each subject that lost something, or that is among `wanted`, in a fixed order.
    mutating func ledgers(wanted: Set<TapMessages.Subject> = []) -> [TapMessages.Ledger] {
        foldUnused()
        var sums = past
        for subject in live { sums[subject.name, default: .init()] = sums[subject.name, default: .init()] + subject.losses }
        for name in wanted where sums[name] == nil { sums[name] = .init() }
        return sums.filter { !$0.value.isEmpty || wanted.contains($0.key) }.map { TapMessages.Ledger($0.key, $0.value) }
            .sorted { one, other in
                (one.subject.namespace, one.subject.application, one.subject.stage, one.subject.servable)
                    < (other.subject.namespace, other.subject.application, other.subject.stage, other.subject.servable)
            }
    }

    /// The losses of all subjects together.
    func totals() -> TapMessages.Losses {
        live.reduce(past.values.reduce(TapMessages.Losses(), +)) { $0 + $1.losses }
    }

    /// A subject that only the books know counts no more: neither a route nor a record is left that could.
    private mutating func foldUnused() {
        var kept: [TapSubject] = []
        while var subject = live.popLast() {
            if isKnownUniquelyReferenced(&subject) {
                let losses = subject.losses
                if !losses.isEmpty { past[subject.name, default: .init()] = past[subject.name, default: .init()] + losses }
            } else {
                kept.append(subject)
            }
        }
        live = kept
    }
}
