// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Glibc
import Hashing
import HydroAPI
import JSON
import KubeCore
import Synchronization
import Testing
import Wire

@testable import Gateway

struct JSONWebTokenTests {
    static func keys() throws -> KeySet { try KeySet(json: Array(TokenVectors.jwks.utf8)) }

    @Test(arguments: TokenVectors.all) func `a token is of its key, and of no other, whatever it says`(name: String, text: String) throws {
        let keys = try Self.keys()
        let token = try JSONWebToken(text)
        #expect(keys.signed(token) && token.claims.subject == "ann" && token.claims.audiences == ["hydro"])
        for wrong in PublicKey.Algorithm.allCases where wrong != token.algorithm {
            var confused = token
            confused.algorithm = wrong
            #expect(!keys.signed(confused))
        }
        var forged = token
        forged.signed[forged.signed.count - 1] ^= 1
        #expect(!keys.signed(forged))
        var other = token
        other.keyID = "nobody"
        #expect(!keys.signed(other))
        var cut = token
        cut.signature.removeLast()
        #expect(!keys.signed(cut))
    }

    @Test func `a token without a key's name is tried with each key of its kind`() throws {
        #expect(try Self.keys().signed(JSONWebToken(TokenVectors.noKid)))
    }

    @Test func `short and shared keys are no keys`() throws {
        #expect(try Self.keys().count == 4)
        #expect(try !Self.keys().signed(JSONWebToken(TokenVectors.weak)))
    }

    @Test func `no algorithm, a shared secret and critical extensions are refused`() {
        // {"alg":"none"} and {"alg":"HS256"}, with no signature and with one.
        for head in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0", "eyJhbGciOiJIUzI1NiJ9"] {
            for signature in ["", "AAAA"] {
                #expect(throws: JSONWebToken.Flaw.self) { try JSONWebToken("\(head).e30.\(signature)") }
            }
        }
        #expect(throws: JSONWebToken.Flaw.self) { try JSONWebToken(TokenVectors.critical) }
    }

    @Test(arguments: [
        "", ".", "..", "a.b", "a.b.c.d", "e30.e30.e30", "e30=.e30.", "eyJhbGciOiJSUzI1NiJ9.W10.AA", "eyJhbGciOiJSUzI1NiJ9.e31.AA",
        "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOiJzb29uIn0.AA",
    ]) func `what is no token is refused`(text: String) {
        #expect(throws: JSONWebToken.Flaw.self) { try JSONWebToken(text) }
    }

    @Test(arguments: [(999_939, false), (999_940, true), (1_003_659, true), (1_003_660, false)])
    func `times count, with a minute's leeway`(now: Int64, isGood: Bool) throws {
        let claims = try JSONWebToken(TokenVectors.es256).claims
        #expect(((try? claims.check(now: now)) != nil) == isGood)
    }

    @Test func `a token that never expires, or comes from the future, is refused`() throws {
        #expect(throws: JSONWebToken.Flaw.self) { try JSONWebToken(TokenVectors.noExpiry).claims.check(now: 1_000_000) }
        #expect(throws: JSONWebToken.Flaw.self) { try JSONWebToken(TokenVectors.future).claims.check(now: 1_000_000) }
    }
}

struct TokenBookTests {
    static let ann = TokenVerdict.identity(user: "ann", groups: [])
    let start = ContinuousClock.now

    @Test func `a good token is known for a minute, and never beyond its own end`() {
        var book = TokenBook(TokenLifetimes(), capacity: 16)
        book.learn([1], Self.ann, expires: nil, now: start)
        book.learn([2], Self.ann, expires: start + .seconds(20), now: start)
        #expect(book.look([1], now: start + .seconds(59)) == .known(Self.ann) && book.look([1], now: start + .seconds(60)) == .unknown)
        #expect(book.look([2], now: start + .seconds(19)) == .known(Self.ann) && book.look([2], now: start + .seconds(20)) == .unknown)
    }

    @Test func `a bad token is known for ten seconds`() {
        var book = TokenBook(TokenLifetimes(), capacity: 16)
        book.learn([1], .refused("no"), expires: nil, now: start)
        #expect(book.look([1], now: start + .seconds(9)) == .known(.refused("no")) && book.look([1], now: start + .seconds(10)) == .unknown)
        #expect(book.fail([1], now: start + .seconds(5)) == nil)
    }

    @Test func `while nobody can be asked a good token stays good for five minutes`() {
        var book = TokenBook(TokenLifetimes(), capacity: 16)
        book.learn([1], Self.ann, expires: nil, now: start)
        #expect(book.fail([1], now: start + .seconds(61)) == Self.ann)
        #expect(book.look([1], now: start + .seconds(62)) == .known(Self.ann))
        #expect(book.look([1], now: start + .seconds(67)) == .due(Self.ann))
        #expect(book.look([1], now: start + .seconds(300)) == .unknown && book.fail([1], now: start + .seconds(300)) == nil)
        #expect(book.fail([2], now: start) == nil)
    }

    @Test func `the oldest are forgotten, those in use are not`() {
        var cache = TokenCache<Int>(capacity: 8)
        for number in 0..<100 {
            cache[[UInt8(number)]] = number
            _ = cache[[0]]
        }
        #expect(cache.count <= 8 && cache[[0]] == 0 && cache[[99]] == 99 && cache[[50]] == nil)
    }
}

/// An API server that knows one token, and counts.
final class FakeReviewer: TokenReviewer {
    struct Away: Error {}
    let asked = Mutex(0)
    let isAway = Mutex(false)
    private let gate: AsyncStream<Void>?

    /// - Parameter gate: no review is answered before it ends.
    init(gate: AsyncStream<Void>? = nil) { self.gate = gate }

    func review(_ token: String, for audiences: [String]) async throws -> TokenReview.Status {
        asked.withLock { $0 += 1 }
        if let gate { for await _ in gate {} }
        if isAway.withLock({ $0 }) { throw Away() }
        var status = TokenReview.Status()
        status.authenticated = token == "good"
        status.user.username = "system:serviceaccount:shop:web"
        status.user.groups = ["system:serviceaccounts"]
        status.audiences = audiences
        return status
    }
}

struct AccessControlTests {
    static func review(users: [String] = [], groups: [String] = [], audiences: [String] = []) -> Application.Access {
        var access = Application.Access()
        var rule = Application.Access.TokenReview()
        (rule.users, rule.groups, rule.audiences) = (users, groups, audiences)
        access.tokenReview = rule
        return access
    }

    static func jwt(issuer: String = "https://issuer.example", audiences: [String] = [], subjects: [String] = []) -> Application.Access {
        var access = Application.Access()
        var rule = Application.Access.JWT()
        (rule.issuer, rule.audiences, rule.subjects) = (issuer, audiences, subjects)
        access.jwt = rule
        return access
    }

    /// The HTTP status and gRPC code that a caller with that token gets; 200 and 0 for one who is let in.
    static func outcome(_ token: String?, _ rules: [Application.Access], _ control: AccessControl) async -> [Int] {
        do throws(PredictionError) {
            try await control.admit(token.map { ["authorization": "Bearer \($0)"] } ?? [:], by: rules)
            return [200, 0]
        } catch { return [HTTPFault(error).status, GRPCStatus(error).code.rawValue] }
    }

    /// Runs the body with reviews under way.
    static func reviewing(_ reviewer: FakeReviewer, _ body: @Sendable (AccessControl) async throws -> Void) async throws {
        let reviews = TokenReviews(reviewer, logger: Bench.silence)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reviews.run() }
            try await body(AccessControl(reviews: reviews))
            group.cancelAll()
        }
    }

    @Test func `the cluster's word decides, and users and groups narrow it`() async throws {
        try await Self.reviewing(FakeReviewer()) { control in
            #expect(await Self.outcome(nil, [Self.review()], control) == [401, 16])
            #expect(await Self.outcome("bad", [Self.review()], control) == [401, 16])
            #expect(await Self.outcome("good", [Self.review()], control) == [200, 0])
            #expect(await Self.outcome("good", [Self.review(audiences: ["hydro"])], control) == [200, 0])
            #expect(await Self.outcome("good", [Self.review(users: ["bob"])], control) == [403, 7])
            #expect(await Self.outcome("good", [Self.review(users: ["bob"], groups: ["system:serviceaccounts"])], control) == [200, 0])
            #expect(await Self.outcome("good", [Self.review(users: ["bob"]), Self.review()], control) == [200, 0])
        }
    }

    @Test func `one review answers all who wait for it`() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let reviewer = FakeReviewer(gate: gate)
        try await Self.reviewing(reviewer) { control in
            await withTaskGroup(of: [Int].self) { group in
                for _ in 0..<50 { group.addTask { await Self.outcome("good", [Self.review()], control) } }
                open.finish()
                for await outcome in group { #expect(outcome == [200, 0]) }
            }
            #expect(reviewer.asked.withLock { $0 } == 1)
        }
    }

    @Test func `with the API server away new tokens are told to come back`() async throws {
        let reviewer = FakeReviewer()
        try await Self.reviewing(reviewer) { control in
            #expect(await Self.outcome("good", [Self.review()], control) == [200, 0])
            reviewer.isAway.withLock { $0 = true }
            #expect(await Self.outcome("other", [Self.review()], control) == [503, 14])
            #expect(await Self.outcome("good", [Self.review()], control) == [200, 0])
        }
    }

    @Test func `a signed token is judged by issuer, audience and subject; keys rotate with their file`() async throws {
        let path = "/tmp/hydro-jwks-\(getpid()).json"
        try Self.write(TokenVectors.jwks, to: path)
        defer { unlink(path) }
        let keys = KeyFile(path, logger: Bench.silence)
        let control = AccessControl(keys: keys) { 1_000_100 }
        #expect(await Self.outcome(TokenVectors.rs256, [Self.jwt()], control) == [200, 0])
        #expect(
            await Self.outcome(TokenVectors.oneAudience, [Self.jwt(audiences: ["x", "hydro"], subjects: ["ann"])], control) == [200, 0])
        #expect(await Self.outcome(TokenVectors.rs256, [Self.jwt(issuer: "https://other.example")], control) == [401, 16])
        #expect(await Self.outcome(TokenVectors.rs256, [Self.jwt(audiences: ["x"])], control) == [401, 16])
        #expect(await Self.outcome(TokenVectors.rs256, [Self.jwt(subjects: ["bob"])], control) == [403, 7])
        #expect(await Self.outcome(TokenVectors.rs256, [Self.jwt()], AccessControl(keys: keys) { 2_000_000 }) == [401, 16])
        #expect(await Self.outcome(TokenVectors.rs256, [Self.jwt()], AccessControl()) == [503, 14])
        try Self.write("{\"keys\": []}", to: path)
        #expect(keys.current(now: .now + .seconds(3)).keys?.count == 4)
    }

    private static func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
    }

    @Test func `a challenge says what to bring, and nothing that would break its quotes`() {
        #expect(PredictionError.unauthenticated(nil).challenge == "Bearer realm=\"hydro\"")
        #expect(
            PredictionError.unauthenticated("a \"b\\").challenge
                == "Bearer realm=\"hydro\", error=\"invalid_token\", error_description=\"a 'b'\"")
    }
}

struct ProtectedTests {
    static func owner(_ name: String) -> OwnerReference {
        OwnerReference(apiVersion: "hydrosphere.io/v1alpha1", kind: "Application", name: name, uid: "1")
    }

    @Test func `a servable is as protected as the applications that use or own it`() async throws {
        try await Bench.run([FakeModel.labelling(1)]) { bench in
            var application = Objects.application(
                "tumour", [Objects.stage("stage-0", Objects.signature, [Objects.variant("tumour-1", port: bench.ports[0])])])
            let servable = Objects.servable("tumour-1", port: bench.ports[0])
            bench.feed.tell(Objects.slice("tumour-1", [("127.0.0.1", true)]))
            bench.feed.tell(servable, at: servable.key)
            bench.tell(application)
            let body = "{\"features\": [1, 2]}"
            #expect(await bench.post("/gateway/servable/tumour-1", body).status == 200)
            application.status.activeRoute?.access = AccessControlTests.review()
            bench.tell(application)
            let answer = await bench.post("/gateway/application/tumour", body)
            #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer realm=\"hydro\"")
            #expect(await bench.post("/gateway/servable/tumour-1", body).status == 401)
            #expect(await bench.post("/gateway/servable/tumour-1", body, ["authorization": "Bearer x"]).status == 503)
            bench.feed.tell(nil as Application?, at: application.key)
            #expect(await bench.post("/gateway/servable/tumour-1", body).status == 200)
            // Owned by one that has published nothing yet, and will ask.
            var owned = servable
            owned.metadata.ownerReferences = [Self.owner("tumour")]
            bench.feed.tell(owned, at: owned.key)
            application.spec.access = AccessControlTests.review()
            application.status.activeRoute = nil
            bench.tell(application)
            #expect(await bench.post("/gateway/servable/tumour-1", body).status == 401)
        }
    }
}
