// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import JSON
package import KubeCore

/// Work to be done before an object may go, held open by a name of ours in its `finalizers`.
package struct Finalizer<Object: KubeResource>: Sendable {
    package let name: String
    package let cleanUp: @Sendable (Object) async throws -> FinalizerOutcome

    /// - Parameter cleanUp: called, perhaps many times, while the object is being deleted. It must bound itself: as long
    ///   as it waits or fails, the object stays.
    package init(_ name: String, cleanUp: @escaping @Sendable (Object) async throws -> FinalizerOutcome) {
        self.name = name
        self.cleanUp = cleanUp
    }
}

/// How far the clean-up of an object came.
package enum FinalizerOutcome: Equatable, Sendable {
    /// Nothing is left: the object may go.
    case done
    /// Something must end first. Look again after `retry`.
    case waiting(reason: String, retry: Duration)
}

/// Where an object stands with one finalizer, and the patch that takes it on.
///
/// Each patch tests what it was made from, so that a stranger's finalizer that came meanwhile is never lost.
enum FinalizerStep: Equatable {
    case add([JSONPatchStep])
    case live
    case cleanUp(then: [JSONPatchStep])
    case gone

    init(for metadata: ObjectMeta, name: String) {
        let present = metadata.finalizers
        let position = present.firstIndex(of: name)
        switch (metadata.deletionTimestamp, position) {
        case (nil, .some): self = .live
        case (nil, nil) where present.isEmpty:
            self = .add([.init(.test, "/metadata/finalizers", .null), .init(.add, "/metadata/finalizers", [.string(name)])])
        case (nil, nil):
            self = .add([
                .init(.test, "/metadata/finalizers", .array(present.map { .string($0) })),
                .init(.add, "/metadata/finalizers/-", .string(name)),
            ])
        case (.some, .some(let position)):
            let path = "/metadata/finalizers/\(position)"
            self = .cleanUp(then: [.init(.test, path, .string(name)), .init(.remove, path)])
        case (.some, nil): self = .gone
        }
    }
}
