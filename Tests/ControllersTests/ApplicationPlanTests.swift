// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore
import KubeRuntime
import Testing

@testable import Controllers

struct ApplicationPlanTests {
    private func plan(_ application: Application, _ seen: ApplicationObserved) -> ApplicationPlan {
        ApplicationPlan(for: application, given: seen, settings: Make.settings)
    }

    private func served(_ application: Application, _ seen: ApplicationObserved) -> Application {
        var served = application
        served.status = plan(application, seen).status
        return served
    }

    @Test func `a model without a version follows the latest released one`() {
        let versions = [Make.version(1), Make.version(2, source: "2"), Make.version(3, source: "3", phase: .assembling)]
        let plan = plan(Make.application([[Make.variant("iris")]]), Make.observed(versions))
        guard case .create(let servable) = plan.steps.first else {
            Issue.record("wanted a servable to be made, got \(plan.steps)")
            return
        }
        #expect(servable.spec.modelVersion == "iris-2")
        #expect(servable.metadata.ownerReferences.map(\.uid) == ["uid-app"])
        #expect(plan.status.activeRoute == nil)
    }

    @Test func `the route is published when all that answers is ready`() {
        let version = Make.version(1)
        let plan = plan(
            Make.application([[Make.variant("iris")]], generation: 4), Make.observed([version], [Make.servable(version, ready: true)]))
        #expect(plan.verdict == .settled)
        #expect(plan.status.activeRoute?.generation == 4)
        #expect(plan.status.activeRoute?.stages.first?.variants.first?.weight == 100)
        #expect(plan.status.stagesSummary == "iris:1")
        #expect(plan.status.url == "http://gateway:9090/gateway/application/app")
    }

    @Test func `an update that is not ready leaves the route before it up`() {
        let (one, two) = (Make.version(1), Make.version(2, source: "2"))
        let application = served(
            Make.application([[Make.variant("iris")]]), Make.observed([one], [Make.servable(one, ready: true)]))
        let seen = Make.observed([one, two], [Make.servable(one, ready: true), Make.servable(two, ready: false)])
        let plan = plan(application, seen)
        #expect(plan.status.activeRoute?.servables == ["iris-1"])
        guard case .working("Starting", let message) = plan.standing else {
            Issue.record("wanted Starting, got \(plan.standing)")
            return
        }
        #expect(message.contains("the route of generation 1 is served on"))
        #expect(plan.steps.isEmpty)
    }

    @Test func `a servable out of use is let go only after it lingered`() {
        let (one, two) = (Make.version(1), Make.version(2, source: "2"))
        let application = Make.application([[Make.variant("iris")]])
        var seen = Make.observed([one, two], [Make.servable(one, ready: true), Make.servable(two, ready: true)])
        let current = served(application, seen)
        seen.unusedFor = ["iris-1": .seconds(4)]
        #expect(plan(current, seen).steps.isEmpty)
        #expect(plan(current, seen).verdict == .waiting(reason: "Lingering", retry: .seconds(6)))
        seen.unusedFor = ["iris-1": .seconds(10)]
        #expect(plan(current, seen).steps == [.delete(ObjectKey("default", "iris-1"), uid: "uid-servable-iris-1", resourceVersion: "7")])
    }

    @Test func `the pass that moves the route comes back to let the old servable go`() {
        let (one, two) = (Make.version(1), Make.version(2, source: "2"))
        let before = served(Make.application([[Make.variant("iris")]]), Make.observed([one], [Make.servable(one, ready: true)]))
        let seen = Make.observed([one, two], [Make.servable(one, ready: true), Make.servable(two, ready: true)])
        let plan = plan(before, seen)
        #expect(plan.status.activeRoute?.servables == ["iris-2"])
        #expect(plan.steps.isEmpty)
        #expect(plan.verdict == .waiting(reason: "Lingering", retry: .seconds(1)))
    }

    @Test func `a shared servable loses one owner and stays`() {
        let (one, two) = (Make.version(1), Make.version(2, source: "2"))
        let shared = Make.servable(one, ready: true, owners: ["uid-app", "uid-other"])
        var seen = Make.observed([one, two], [shared, Make.servable(two, ready: true)])
        let current = served(Make.application([[Make.variant("iris")]]), seen)
        seen.unusedFor = ["iris-1": .seconds(60)]
        let remaining = shared.metadata.ownerReferences.filter { $0.uid == "uid-other" }
        #expect(plan(current, seen).steps == [.setOwners(ObjectKey("default", "iris-1"), remaining, resourceVersion: "7")])
    }

    @Test func `a servable that a user made is used and never owned`() {
        let version = Make.version(1)
        let plan = plan(
            Make.application([[Make.variant("iris")]]),
            Make.observed([version], [Make.servable(version, ready: true, owners: [], made: false)]))
        #expect(plan.steps.isEmpty)
        #expect(plan.verdict == .settled)
    }

    @Test func `a change of weights alone changes the route and no servable`() {
        let versions = [Make.version(1), Make.version(2, source: "2")]
        let seen = Make.observed(versions, versions.map { Make.servable($0, ready: true) })
        let plan = plan(Make.application([[Make.variant("iris", 1, weight: 90), Make.variant("iris", 2, weight: 10)]]), seen)
        #expect(plan.steps.isEmpty)
        #expect(plan.status.activeRoute?.stages.first?.variants.map(\.weight) == [90, 10])
        #expect(plan.status.stagesSummary == "iris:1(90) iris:2(10)")
    }

    @Test func `a shadow that is not ready holds nothing up`() {
        let versions = [Make.version(1), Make.version(2, source: "2")]
        let seen = Make.observed(versions, [Make.servable(versions[0], ready: true), Make.servable(versions[1], ready: false)])
        let plan = plan(Make.application([[Make.variant("iris", 1), Make.variant("iris", 2, shadow: 50)]]), seen)
        #expect(plan.status.activeRoute?.servables == ["iris-1"])
        #expect(plan.status.stagesSummary == "iris:1(100) iris:2(shadow 50)")
    }

    @Test func `stages that do not fit name stage, field, wanted and found, and start no pods`() {
        let clean = Make.version(1, of: "clean", signature: Make.signature([Field("raw", .string, .scalar)], [Field("x", .int64, [3])]))
        let score = Make.version(1, of: "score", signature: Make.signature([Field("x", .double, [3])], [Field("y", .double, .scalar)]))
        let plan = plan(Make.application([[Make.variant("clean")], [Make.variant("score")]]), Make.observed([clean, score]))
        #expect(plan.steps.isEmpty)
        let condition = plan.conditions[ConditionType.contractCompatible]
        #expect(condition?.status == .false)
        #expect(condition?.message.contains("stage \"stage-1\", field \"x\": wants double [3], got int64 [3]") == true)
    }

    @Test(
        arguments: [
            ("nothing", nil, "ModelNotFound"), ("iris", 9, "VersionNotFound"), ("iris", 2, "VersionFailed"),
            ("iris", 3, "VersionNotReleased"),
        ] as [(String, Int?, String)])
    func `a variant that cannot be served says why`(model: String, version: Int?, reason: String) {
        let versions = [
            Make.version(1), Make.version(2, source: "2", phase: .failed), Make.version(3, source: "3", phase: .assembling),
        ]
        let plan = plan(Make.application([[Make.variant(model, version)]]), Make.observed(versions))
        #expect(plan.standing.conditions[ConditionType.ready]?.reason == reason)
        #expect(plan.steps.isEmpty)
    }

    @Test func `rules that old servers cannot check are checked here`() {
        let plan = plan(Make.application([[Make.variant("iris", 1, weight: 60), Make.variant("iris", 2, weight: 30)]]), Make.observed([]))
        let message = "stage \"stage-0\": weights of the variants that answer want to sum to 100, got 90"
        #expect(plan.verdict == .stalled(reason: "InvalidSpec", message: message))
    }
}
