// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import Hashing
package import KubeClient
package import KubeCore
package import Logging
import ServiceLifecycle
import Synchronization

/// Asks the cluster whose a token is.
package protocol TokenReviewer: Sendable {
    /// The API server's answer.
    func review(_ token: String, for audiences: [String]) async throws -> TokenReview.Status
}

extension ClusterClient: TokenReviewer {
    package func review(_ token: String, for audiences: [String]) async throws -> TokenReview.Status {
        var question = TokenReview()
        question.spec.token = token
        question.spec.audiences = audiences
        return try await create(question).status
    }
}

/// Whose tokens are, by TokenReview: remembered for a while by digest, and one review at a time for each token, however many wait.
///
/// Reviews are run by `run`, so that a caller who leaves takes nothing away from others. A review takes at most three seconds, and so
/// does waiting for its turn.
package final class TokenReviews: ServiceLifecycle.Service {
    enum Outcome: Equatable, Sendable {
        case verdict(TokenVerdict)
        /// Nobody could be asked.
        case failed(String)
        case abandoned
    }

    private struct Order: Sendable {
        var token: String
        var audiences: [String]
        var key: [UInt8]
        var placed: ContinuousClock.Instant
    }

    private struct Desk {
        var book: TokenBook
        var waiting: [[UInt8]: [Int: CheckedContinuation<Outcome, Never>]] = [:]
        var nextID = 0
    }

    static let patience = Duration.seconds(3)
    private static let atOnce = 16
    private static let queue = 256
    private let reviewer: any TokenReviewer
    private let logger: Logger
    private let desk: Mutex<Desk>
    private let orders: AsyncStream<Order>
    private let door: AsyncStream<Order>.Continuation

    package init(_ reviewer: any TokenReviewer, lifetimes: TokenLifetimes = TokenLifetimes(), capacity: Int = 8192, logger: Logger) {
        self.reviewer = reviewer
        self.logger = logger
        desk = Mutex(Desk(book: TokenBook(lifetimes, capacity: capacity)))
        (orders, door) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.queue))
    }

    /// What is known of the token, or what the cluster says. Of the token itself only a digest is kept.
    func outcome(of token: String, for audiences: [String]) async -> Outcome {
        let key = Self.key(token, audiences)
        let look = desk.withLock { $0.book.look(key, now: .now) }
        switch look {
        case .known(let verdict): return .verdict(verdict)
        case .due(let verdict):
            let isFirst = desk.withLock { desk in
                defer { if desk.waiting[key] == nil { desk.waiting[key] = [:] } }
                return desk.waiting[key] == nil
            }
            if isFirst { place(Order(token: token, audiences: audiences, key: key, placed: .now)) }
            return .verdict(verdict)
        case .unknown: return await wait(for: Order(token: token, audiences: audiences, key: key, placed: .now))
        }
    }

    private func wait(for order: Order) async -> Outcome {
        let id = desk.withLock { desk in
            desk.nextID += 1
            return desk.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                let isFirst: Bool? = desk.withLock { desk in
                    if Task.isCancelled { return nil }
                    let isFirst = desk.waiting[order.key] == nil
                    desk.waiting[order.key, default: [:]][id] = caller
                    return isFirst
                }
                switch isFirst {
                case nil: caller.resume(returning: .abandoned)
                case true?: place(order)
                case false?: break
                }
            }
        } onCancel: {
            desk.withLock { $0.waiting[order.key]?.removeValue(forKey: id) }?.resume(returning: .abandoned)
        }
    }

    private func place(_ order: Order) {
        switch door.yield(order) {
        case .enqueued: return
        default: finish(order, .failed("too many tokens wait for the API server"))
        }
    }

    private func finish(_ order: Order, _ outcome: Outcome) {
        let callers = desk.withLock { desk in desk.waiting.removeValue(forKey: order.key) ?? [:] }
        for caller in callers.values { caller.resume(returning: outcome) }
    }

    /// Reviews until told to go; whoever waits then hears that nobody can be asked.
    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await order in orders.cancelOnGracefulShutdown() {
                if running == Self.atOnce {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.review(order) }
            }
        }
        door.finish()
        let left = desk.withLock { desk in
            defer { desk.waiting = [:] }
            return desk.waiting.values.flatMap(\.values)
        }
        for caller in left { caller.resume(returning: .failed("the gateway is leaving")) }
    }

    private func review(_ order: Order) async {
        do {
            guard .now - order.placed < Self.patience else { throw Late() }
            let status = try await answer(to: order)
            let verdict = TokenVerdict(status, for: order.audiences)
            desk.withLock { $0.book.learn(order.key, verdict, expires: Self.expiry(of: order.token), now: .now) }
            finish(order, .verdict(verdict))
        } catch {
            logger.warning("token not reviewed", metadata: ["reason": "\(error)"])
            let known = desk.withLock { $0.book.fail(order.key, now: .now) }
            finish(order, known.map(Outcome.verdict) ?? .failed("the API server cannot be asked about tokens now"))
        }
    }

    private struct Late: Error, CustomStringConvertible {
        var description: String { "no answer from the API server within \(TokenReviews.patience)" }
    }

    private func answer(to order: Order) async throws -> TokenReview.Status {
        let reviewer = reviewer
        return try await withThrowingTaskGroup(of: TokenReview.Status.self) { group in
            group.addTask { try await reviewer.review(order.token, for: order.audiences) }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                throw Late()
            }
            defer { group.cancelAll() }
            guard let status = try await group.next() else { throw Late() }
            return status
        }
    }

    private static func expiry(of token: String) -> ContinuousClock.Instant? {
        JSONWebToken.expiry(of: token).map { .now + .seconds(max(0, min($0, 1 << 40) - Int64(time(nil)))) }
    }

    /// Tokens for different audiences are different questions.
    private static func key(_ token: String, _ audiences: [String]) -> [UInt8] {
        var hash = SHA256()
        hash.update(Array(token.utf8))
        for audience in audiences {
            hash.update([0])
            hash.update(Array(audience.utf8))
        }
        return hash.finish()
    }
}

extension TokenVerdict {
    init(_ status: TokenReview.Status, for audiences: [String]) {
        guard status.authenticated else {
            self = .refused("the cluster does not know the token")
            return
        }
        // A server that knows nothing of audiences says nothing of them; its token is for itself. (TokenReviewStatus.audiences)
        guard audiences.isEmpty || status.audiences.contains(where: audiences.contains) else {
            self = .refused("the token is for another audience")
            return
        }
        self = .identity(user: status.user.username, groups: status.user.groups)
    }
}
