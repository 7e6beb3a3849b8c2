// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Composer
import Contract
package import HydroAPI
package import KubeCore
package import KubeRuntime

/// All that a pass over a version knows of the world.
package struct VersionObserved: Sendable {
    /// The model's other versions that are not being deleted.
    package var siblings: [ModelVersion] = []
    package var progress: BuildProgress?
    package var now: Timestamp

    package init(siblings: [ModelVersion] = [], progress: BuildProgress? = nil, now: Timestamp) {
        self.siblings = siblings
        self.progress = progress
        self.now = now
    }
}

/// What to do for a version: have its image made, once.
package struct VersionPlan: Sendable {
    package enum Step: Equatable, Sendable { case start, forget }

    package private(set) var steps: [Step] = []
    package private(set) var verdict: Verdict
    package private(set) var standing: Standing
    package private(set) var status: ModelVersion.Status

    package static let logLines = 30

    package init(for version: ModelVersion, given seen: VersionObserved) {
        let status = version.status
        if VersionFingerprint.of(version) != version.spec.fingerprint {
            let message = "the spec of a version wants to stay as it was made; it was changed: delete the version, or change it back"
            self.init(.stalled(reason: "SpecChanged", message: message), status)
        } else if status.phase == .released {
            self.init(.ready(message: status.image?.digest ?? "runs elsewhere"), status)
        } else if status.phase == .failed {
            self.init(.stalled(reason: status.failure?.reason ?? "Failed", message: status.failure?.message ?? ""), status)
        } else {
            self.init(assembling: version, seen)
        }
    }

    private init(_ standing: Standing, _ status: ModelVersion.Status, steps: [Step] = [], verdict: Verdict? = nil) {
        self.standing = standing
        self.status = status
        self.steps = steps
        self.verdict =
            verdict
            ?? {
                if case .stalled(let reason, let message) = standing { .stalled(reason: reason, message: message) } else { .settled }
            }()
    }

    private init(assembling version: ModelVersion, _ seen: VersionObserved) {
        var status = version.status
        if version.spec.source.kind == .external {
            status.phase = .released
            self.init(.ready(message: "runs elsewhere"), status)
            return
        }
        if let failure = Self.contractFailure(version.spec.signature) {
            self.init(failed: status, failure, seen)
            return
        }
        if let twin = seen.siblings.last(where: { $0.isReleased && $0.spec.fingerprint == version.spec.fingerprint }),
            let image = twin.status.image
        {
            status.phase = .released
            status.image = image
            status.startedAt = status.startedAt ?? seen.now.wholeSeconds
            status.finishedAt = seen.now.wholeSeconds
            status.log = ["the same as version \(twin.spec.version): its image \(image.digest) is used again"]
            self.init(.ready(message: image.digest), status)
            return
        }
        self.init(building: status, seen)
    }

    private static func contractFailure(_ signature: Signature?) -> ModelVersion.Failure? {
        guard let signature else {
            return .init(reason: ComposerError.Reason.contractMissing.rawValue, message: "wants a signature, found none in the Model")
        }
        let problems = signature.problems()
        guard !problems.isEmpty else { return nil }
        return .init(reason: ComposerError.Reason.contractInvalid.rawValue, message: problems.joined(separator: "; "))
    }

    private init(building before: ModelVersion.Status, _ seen: VersionObserved) {
        var status = before
        status.phase = .assembling
        status.startedAt = status.startedAt ?? seen.now.wholeSeconds
        switch seen.progress {
        case nil:
            status.attempts = (status.attempts ?? 0) + 1
            self.init(
                .working(reason: "Assembling", message: "attempt \(status.attempts ?? 1) begins"), status, steps: [.start],
                verdict: .waiting(reason: "Assembling", retry: .seconds(30)))
        case .queued:
            self.init(
                .working(reason: "Queued", message: "waiting for other builds"), status,
                verdict: .waiting(reason: "Queued", retry: .seconds(30)))
        case .running(let lines):
            status.log = Array(lines.suffix(Self.logLines))
            self.init(
                .working(reason: "Assembling", message: lines.last ?? "running"), status,
                verdict: .waiting(reason: "Assembling", retry: .seconds(30)))
        case .finished(let built):
            status.phase = .released
            status.image = ModelVersion.Image(built)
            status.log = Array(built.log.suffix(Self.logLines))
            status.finishedAt = seen.now.wholeSeconds
            status.seconds = built.seconds
            status.failure = nil
            self.init(.ready(message: built.digest), status)
        case .failed(let error, let log) where error.canHeal:
            status.log = Array(log.suffix(Self.logLines))
            self.init(
                .working(reason: error.reason.rawValue, message: error.message), status, steps: [.forget],
                verdict: .failing(message: error.message))
        case .failed(let error, let log):
            let failure = ModelVersion.Failure(reason: error.reason.rawValue, message: error.message, log: Array(log.suffix(Self.logLines)))
            self.init(failed: status, failure, seen)
        }
    }

    private init(failed before: ModelVersion.Status, _ failure: ModelVersion.Failure, _ seen: VersionObserved) {
        var status = before
        status.phase = .failed
        status.failure = failure
        status.log = failure.log
        status.finishedAt = seen.now.wholeSeconds
        self.init(.stalled(reason: failure.reason, message: failure.message), status, steps: [.forget])
    }
}

extension ModelVersion.Image {
    init(_ built: BuiltImage) {
        self.init()
        repository = built.repository
        tag = built.tag
        digest = built.digest
        size = built.size
    }
}
