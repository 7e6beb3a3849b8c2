// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
package import Protos
import Synchronization

/// A variant in its place, with the counts of what it lost. A route that is made anew makes a new one; the books add up both.
package final class TapSubject: Sendable {
    package let name: TapMessages.Subject
    private let full = Atomic<Int>(0)
    private let oversize = Atomic<Int>(0)
    private let encode = Atomic<Int>(0)
    private let absent = Atomic<Int>(0)
    private let unsent = Atomic<Int>(0)
    private let isListed = Atomic<Bool>(false)

    package init(_ name: TapMessages.Subject) { self.name = name }

    /// A variant of a stage; a servable that is asked by its own name is in no application.
    package convenience init(_ target: RouteTarget, stage: String, servable: String, model: String, version: Int, isShadow: Bool = false) {
        var name = TapMessages.Subject()
        name.namespace = target.key.namespace
        name.application = target.kind == .application ? target.key.name : ""
        name.stage = stage
        name.servable = servable
        name.model = model
        name.version = version
        name.isShadow = isShadow
        self.init(name)
    }

    /// Why a record, or its tensors, did not get through.
    package enum Loss: String, Sendable, CaseIterable { case full, oversize, encode, absent, unsent }

    func count(_ loss: Loss) {
        switch loss {
        case .full: full.wrappingAdd(1, ordering: .relaxed)
        case .oversize: oversize.wrappingAdd(1, ordering: .relaxed)
        case .encode: encode.wrappingAdd(1, ordering: .relaxed)
        case .absent: absent.wrappingAdd(1, ordering: .relaxed)
        case .unsent: unsent.wrappingAdd(1, ordering: .relaxed)
        }
    }

    var losses: TapMessages.Losses {
        var losses = TapMessages.Losses()
        losses.full = full.load(ordering: .relaxed)
        losses.oversize = oversize.load(ordering: .relaxed)
        losses.encode = encode.load(ordering: .relaxed)
        losses.absent = absent.load(ordering: .relaxed)
        losses.unsent = unsent.load(ordering: .relaxed)
        return losses
    }

    /// True for the first who asks, once.
    func isNew() -> Bool {
        !isListed.load(ordering: .relaxed) && !isListed.exchange(true, ordering: .relaxed)
    }
}

extension TapMessages.Losses {
    subscript(loss: TapSubject.Loss) -> Int {
        switch loss {
        case .full: full
        case .oversize: oversize
        case .encode: encode
        case .absent: absent
        case .unsent: unsent
        }
    }
}
