// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore
import Testing

@testable import Gateway

struct RouteTests {
    private func state(_ application: Application) -> RouteState { RouteState(application, RouteSurroundings(pods: [:])) }

    private func route(_ application: Application) throws -> Route {
        guard case .serving(let route) = state(application) else { throw Missing() }
        return route
    }

    private struct Missing: Error {}

    @Test func `a route is made of what the status says, never of the spec`() throws {
        var application = Objects.application(
            "tumour", [Objects.stage("s", Objects.signature, [Objects.variant("tumour-1")])], timeout: "1500ms")
        var wished = Application.Stage()
        wished.variants = [Application.Variant()]
        application.spec.stages = [wished, wished]
        application.spec.timeout = "1s"
        let route = try route(application)
        #expect(route.stages.map { $0.variants.map(\.model) } == [["tumour:1"]])
        #expect(route.timeout == .milliseconds(1500))
        #expect(route.signature == Objects.signature)
    }

    @Test func `a shadow never answers, whatever its weight`() throws {
        let variants = [
            Objects.variant("tumour-1", weight: 100), Objects.variant("tumour-2", weight: 0, shadow: 100),
            Objects.variant("tumour-3", weight: 100, shadow: 50),
        ]
        let stage = try route(Objects.application("tumour", [Objects.stage("s", Objects.signature, variants)])).stages[0]
        #expect(stage.variants.map(\.model) == ["tumour:1"])
    }

    @Test func `an application without a route waits, and says why`() {
        var application = Application()
        guard case .waiting("no route has been published yet") = state(application) else { return #expect(Bool(false)) }
        application.status.conditions = [Condition("Ready", .false, reason: "ModelMissing", message: "there is no model \"x\"")]
        guard case .waiting("there is no model \"x\"") = state(application) else { return #expect(Bool(false)) }
    }

    @Test func `a route that cannot be served is not`() {
        let shadows = Objects.stage("s", Objects.signature, [Objects.variant("tumour-1", shadow: 100)])
        guard case .waiting(let reason) = state(Objects.application("a", [shadows])) else { return #expect(Bool(false)) }
        #expect(reason.contains("stage \"s\""))
        guard case .waiting = state(Objects.application("a", [])) else { return #expect(Bool(false)) }
    }
}

struct RoutingFeedTests {
    let table = RoutingTable()
    let feed: RoutingFeed
    let target = RouteTarget(.application, ObjectKey("default", "tumour"))
    let application = Objects.application("tumour", [Objects.stage("s", Objects.signature, [Objects.variant("tumour-1")])])

    init() { feed = RoutingFeed(into: table, logger: Bench.silence) }

    private func pods() throws -> [String] { try table.route(to: target).stages[0].variants[0].pods.all.map(\.ip).sorted() }

    @Test func `pods reach a route whether they are told before it or after`() throws {
        feed.tell(Objects.slice("tumour-1", [("10.0.0.1", true)]))
        feed.tell(application, at: application.key)
        #expect(try pods() == ["10.0.0.1"])
        feed.tell(Objects.slice("tumour-1", [("10.0.0.2", nil)], name: "tumour-1-second"))
        #expect(try pods() == ["10.0.0.1", "10.0.0.2"])
    }

    @Test func `only ready pods count`() throws {
        feed.tell(application, at: application.key)
        feed.tell(Objects.slice("tumour-1", [("10.0.0.1", false), ("10.0.0.2", true)]))
        #expect(try pods() == ["10.0.0.2"])
        var leaving = Objects.slice("tumour-1", [("10.0.0.2", true)])
        leaving.endpoints[0].conditions.terminating = true
        feed.tell(leaving)
        #expect(try pods() == [])
    }

    @Test func `slices of other services and other namespaces are somebody else's`() throws {
        feed.tell(application, at: application.key)
        feed.tell(Objects.slice("other", [("10.0.0.9", true)]))
        var far = Objects.slice("tumour-1", [("10.0.0.8", true)])
        far.metadata.namespace = "elsewhere"
        feed.tell(far)
        #expect(try pods() == [])
    }

    @Test func `a slice that goes takes its pods, and the route finds the next ones`() throws {
        feed.tell(application, at: application.key)
        feed.tell(Objects.slice("tumour-1", [("10.0.0.1", true)]))
        feed.forget(Objects.slice("tumour-1", []))
        #expect(try pods() == [])
        feed.tell(Objects.slice("tumour-1", [("10.0.0.3", true)]))
        #expect(try pods() == ["10.0.0.3"])
    }

    @Test func `an application that is gone is unknown`() throws {
        feed.tell(application, at: application.key)
        feed.tell(nil as Application?, at: application.key)
        #expect(throws: PredictionError.unknown(target)) { try table.route(to: target) }
    }

    @Test func `many names that come and go leave the pods of those that stay`() throws {
        feed.tell(application, at: application.key)
        feed.tell(Objects.slice("tumour-1", [("10.0.0.1", true)]))
        for number in 0..<300 {
            let passing = Objects.application(
                "app-\(number)", [Objects.stage("s", Objects.signature, [Objects.variant("passing-\(number)")])])
            feed.tell(passing, at: passing.key)
            feed.tell(nil as Application?, at: passing.key)
        }
        feed.tell(Objects.slice("tumour-1", [("10.0.0.2", true)]))
        #expect(try pods() == ["10.0.0.2"])
    }

    @Test func `a servable is a route of its own, and narrows a variant's inputs`() throws {
        let age = Field("age", .int64, .scalar)
        let wide = Signature(inputs: [Objects.features, age], outputs: [Objects.label])
        let both = Objects.application(
            "tumour", [Objects.stage("s", wide, [Objects.variant("tumour-1", weight: 50), Objects.variant("tumour-2", weight: 50)])],
            signature: wide)
        feed.tell(both, at: both.key)
        let narrow = Objects.servable("tumour-1")
        feed.tell(narrow, at: narrow.key)
        let wider = Objects.servable("tumour-2", signature: wide)
        feed.tell(wider, at: wider.key)
        #expect(try table.route(to: target).stages[0].variants.map { $0.inputs?.map(\.name) } == [["features"], nil])
        #expect(try table.route(to: RouteTarget(.servable, narrow.key)).signature == Objects.signature)
    }
}
