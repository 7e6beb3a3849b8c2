// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import KubeCore
import KubeRuntime
import Testing

@testable import Controllers

struct ModelPlanTests {
    private func plan(
        _ model: Model = Make.model(), _ versions: [ModelVersion] = [], _ inputs: ModelObserved.Inputs, used: Set<String> = []
    )
        -> ModelPlan
    {
        ModelPlan(for: model, given: ModelObserved(versions: versions, inputs: inputs, used: used))
    }

    private func created(_ plan: ModelPlan) -> [Int] {
        plan.steps.compactMap { if case .create(let version) = $0 { version.spec.version } else { nil } }
    }

    @Test func `the first resolution makes version 1, owned by the model`() {
        let plan = plan([], .resolved(Make.resolution(source: "sha256:one")))
        guard case .create(let version) = plan.steps.first else {
            Issue.record("wanted a step that creates, got \(plan.steps)")
            return
        }
        #expect(version.metadata.name == "iris-1")
        #expect(version.metadata.ownerReferences.first?.uid == "uid-iris")
        #expect(version.metadata.annotations[ModelInputs.annotation] == "inputs")
        #expect(plan.status.latestVersion == 1)
    }

    private func plan(_ versions: [ModelVersion], _ inputs: ModelObserved.Inputs) -> ModelPlan { plan(Make.model(), versions, inputs) }

    @Test func `the same inputs make nothing`() {
        let plan = plan([Make.version(1)], .unchanged)
        #expect(plan.steps.isEmpty)
        #expect(plan.verdict == .settled)
        #expect(plan.status.latestReleasedVersion == 1)
    }

    @Test func `other inputs with the same fingerprint are only noted`() {
        let plan = plan([Make.version(1)], .resolved(Make.resolution(source: "sha256:one", inputs: "others")))
        #expect(plan.steps == [.note(inputs: "others", on: ObjectKey("default", "iris-1"))])
    }

    @Test func `going back to an earlier state makes a new number`() {
        let versions = [Make.version(1), Make.version(2, source: "sha256:two")]
        #expect(created(plan(versions, .resolved(Make.resolution(source: "sha256:one")))) == [3])
    }

    @Test func `a number is never given twice, though its version is gone`() {
        var model = Make.model()
        model.status.latestVersion = 5
        #expect(created(plan(model, [Make.version(1)], .resolved(Make.resolution(source: "sha256:new")))) == [6])
    }

    @Test func `a failed version stalls the model and leaves the released one alone`() {
        var failed = Make.version(2, source: "sha256:two", phase: .failed)
        failed.status.failure = .init(reason: "SourceInvalid", message: "entry \"../x\" leaves the tree")
        let plan = plan([Make.version(1), failed], .unchanged)
        #expect(plan.standing == .stalled(reason: "SourceInvalid", message: "version 2: entry \"../x\" leaves the tree"))
        #expect(plan.status.latestReleasedVersion == 1)
        #expect(plan.steps.isEmpty)
    }

    @Test func `what only a person can mend is not retried, what heals is`() {
        #expect(plan([], .unusable(reason: "SourceNotFound", message: "m")).verdict == .stalled(reason: "SourceNotFound", message: "m"))
        #expect(plan([], .unreachable(reason: "RegistryUnreachable", message: "m")).verdict == .failing(message: "m"))
    }

    @Test func `idle versions beyond the limit are pruned, oldest first, used ones never`() {
        var model = Make.model()
        model.spec.versionHistoryLimit = 2
        let versions = (1...7).map { Make.version($0, source: "sha256:\($0)") }
        let plan = plan(model, versions, .unchanged, used: ["iris-1"])
        #expect(plan.steps == ["iris-2", "iris-3", "iris-4"].map { .prune(ObjectKey("default", $0)) })
    }

    @Test(arguments: [
        ("no source", "InvalidSpec"), ("git", "UnsupportedSource"), ("install", "UnsupportedSource"),
    ])
    func `a model that cannot lead to a version says why`(flaw: String, reason: String) {
        var model = Make.model()
        switch flaw {
        case "no source": model.spec.source.configMap = nil
        case "git":
            model.spec.source.configMap = nil
            model.spec.source.git = ModelSource.Git()
        default: model.spec.install = Install()
        }
        #expect(ModelRefusal.of(model)?.reason == reason)
    }
}
