// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Composer
import Contract
import HydroAPI
import KubeCore
import KubeRuntime
import Testing

@testable import Controllers

struct VersionPlanTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    private func plan(_ version: ModelVersion, _ progress: BuildProgress? = nil, siblings: [ModelVersion] = []) -> VersionPlan {
        VersionPlan(for: version, given: VersionObserved(siblings: siblings, progress: progress, now: now))
    }

    private let fresh = Make.version(1, phase: nil)
    private let built = BuiltImage(repository: "r/default/iris", tag: "1", digest: "sha256:d", size: 7, log: ["pushed"], seconds: 1.5)

    @Test func `a version without a build begins one`() {
        let plan = plan(fresh)
        #expect(plan.steps == [.start])
        #expect(plan.status.phase == .assembling)
        #expect(plan.status.attempts == 1)
    }

    @Test func `a build that runs is not begun again`() {
        #expect(plan(fresh, .running(["resolved"])).steps.isEmpty)
        #expect(plan(fresh, .queued).standing == .working(reason: "Queued", message: "waiting for other builds"))
    }

    @Test func `a pushed image releases the version`() {
        let plan = plan(fresh, .finished(built))
        #expect(plan.status.phase == .released)
        #expect(plan.status.image?.reference == "r/default/iris@sha256:d")
        #expect(plan.verdict == .settled)
    }

    @Test func `what can heal stays Assembling and is tried again`() {
        let plan = plan(fresh, .failed(ComposerError(.registryUnreachable, "refused"), log: ["line"]))
        #expect(plan.status.phase == .assembling)
        #expect(plan.steps == [.forget])
        #expect(plan.verdict == .failing(message: "refused"))
        #expect(plan.status.log == ["line"])
    }

    @Test func `what only a person can mend is Failed for good`() {
        let plan = plan(fresh, .failed(ComposerError(.sourceInvalid, "truncated"), log: []))
        #expect(plan.status.phase == .failed)
        #expect(plan.status.failure?.reason == "SourceInvalid")
        var failed = fresh
        failed.status = plan.status
        #expect(self.plan(failed, .finished(built)).status.phase == .failed)
    }

    @Test func `a broken signature fails without a build`() {
        let twice = Make.signature([Field("x", .double, [3]), Field("x", .int64, .scalar)])
        let plan = plan(Make.version(1, phase: nil, signature: twice))
        #expect(plan.status.failure?.reason == "ContractInvalid")
        #expect(plan.status.failure?.message.contains("\"x\"") == true)
    }

    @Test func `a missing signature fails without a build`() {
        var version = Make.version(1, phase: nil)
        version.spec.signature = nil
        version.spec.fingerprint = VersionFingerprint.of(version)
        #expect(plan(version).status.failure?.reason == "ContractMissing")
        #expect(plan(version).steps == [.forget])
    }

    @Test func `the same fingerprint takes the image of the older version at once`() {
        let older = Make.version(1)
        let plan = plan(Make.version(3, phase: nil), siblings: [older, Make.version(2, source: "sha256:two")])
        #expect(plan.steps.isEmpty)
        #expect(plan.status.image == older.status.image)
        #expect(plan.status.phase == .released)
    }

    @Test func `a spec that was changed is refused and keeps its image`() {
        var changed = Make.version(1)
        changed.spec.source.digest = "sha256:other"
        let plan = plan(changed)
        guard case .stalled("SpecChanged", _) = plan.standing else {
            Issue.record("wanted SpecChanged, got \(plan.standing)")
            return
        }
        #expect(plan.status == changed.status)
    }

    @Test func `a version that runs elsewhere is released without an image`() {
        var external = Make.version(1, phase: nil)
        external.spec.source = ModelVersion.Source()
        external.spec.runtime = nil
        external.spec.fingerprint = VersionFingerprint.of(external)
        let plan = plan(external)
        #expect(plan.status.phase == .released)
        #expect(plan.status.image == nil)
    }

    @Test func `the name of the registry does not count in a fingerprint, its digest does`() {
        var other = Make.version(1)
        other.spec.runtime?.image = "mirror.test/python@sha256:\(String(repeating: "a", count: 64))"
        #expect(VersionFingerprint.of(other) == VersionFingerprint.of(Make.version(1)))
        other.spec.runtime?.image = "mirror.test/python@sha256:\(String(repeating: "b", count: 64))"
        #expect(VersionFingerprint.of(other) != VersionFingerprint.of(Make.version(1)))
    }
}
