// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import Kafka
import Logging
import Synchronization

/// Looks after a session: tells how it stands, and when it is over.
struct KafkaWatch: Sendable {
    let wish: KafkaWish
    let credentials: KafkaCredentials
    let secrets: KafkaSecrets
    let board: KafkaBoard
    let meters: KafkaMeters
    let settings: KafkaFront.Settings
    let stop: Signal
    let logger: Logger
    let holdings = KafkaHoldings()

    /// Returns when the entry is to stop, its Secret has changed, or a client is of no use any more.
    func untilOver(_ consumer: KafkaConsumer, _ producer: KafkaProducer) async {
        var nextCheck = ContinuousClock.now
        var nextLook = ContinuousClock.now + settings.secretEvery
        while !stop.isSet, !Task.isCancelled {
            let seen = consumer.statistics
            board.tell(seen, of: wish)
            meters.tell(seen)
            if [consumer.trouble?.kind, producer.trouble?.kind].contains(.fatal) { break }
            if .now >= nextCheck {
                let trouble = await trouble(consumer, producer)
                if let trouble { tell(trouble) } else if consumer.statistics.rebalances > 0 { tell(nil) }
                if trouble?.state == .authenticationFailed { nextLook = min(nextLook, .now + settings.checkEvery / 3) }
                let isGood = trouble == nil && consumer.statistics.rebalances > 0
                nextCheck = .now + (isGood ? settings.checkEvery : settings.checkEvery / 7)
            }
            if .now >= nextLook {
                if await hasNewSecret() { break }
                nextLook = .now + settings.secretEvery
            }
            await stop.wait(atMost: .seconds(1))
        }
        if let fatal = [consumer.trouble, producer.trouble].compactMap(\.self).first(where: { $0.kind == .fatal }) {
            tell(KafkaTrouble(fatal, at: wish))
        }
    }

    /// Notes the news for the operator, and logs it once.
    func tell(_ trouble: KafkaTrouble?) {
        guard board.tell(trouble, of: wish) else { return }
        let metadata: Logger.Metadata = [
            "application": "\(wish.application)", "topic": "\(wish.entry.sourceTopic)", "brokers": "\(wish.entry.bootstrapServers)",
        ]
        guard let trouble else {
            logger.info("kafka entry consumes", metadata: metadata)
            return
        }
        let more: Logger.Metadata = ["reason": "\(trouble.state.rawValue)", "message": "\(trouble.message)"]
        logger.warning("kafka entry does not consume, will retry", metadata: metadata.merging(more) { _, last in last })
    }

    /// A Secret that cannot be read now is no reason to give up what works.
    private func hasNewSecret() async -> Bool {
        guard wish.entry.secretName != nil else { return false }
        do throws(KafkaTrouble) { return try await secrets.credentials(for: wish) != credentials } catch {
            logger.debug("secret cannot be looked at", metadata: ["application": "\(wish.application)", "message": "\(error.message)"])
            return false
        }
    }

    private func trouble(_ consumer: KafkaConsumer, _ producer: KafkaProducer) async -> KafkaTrouble? {
        let wrong: [String: KafkaError]
        do throws(KafkaError) { wrong = try await producer.check(wish.topics) } catch { return KafkaTrouble(error, at: wish) }
        for topic in wish.topics { if let error = wrong[topic] { return KafkaTrouble(error, at: wish, topic: topic) } }
        return consumer.trouble.map { KafkaTrouble($0, at: wish, topic: wish.entry.sourceTopic) }
    }
}

extension KafkaTrouble {
    init(_ error: KafkaError, at wish: KafkaWish, topic: String? = nil) {
        let brokers = wish.entry.bootstrapServers
        switch error.kind {
        case .brokersDown: self.init(state: .brokerUnreachable, message: "no broker of \"\(brokers)\" answers: \(error)")
        case .tlsFailed: self.init(state: .tlsFailed, message: "TLS with \"\(brokers)\" failed: \(error)")
        case .authenticationFailed:
            self.init(state: .authenticationFailed, message: "\"\(brokers)\" does not take the credentials: \(error)")
        case .notAuthorised:
            let what = topic.map { "topic \"\($0)\" or group \"\(wish.group)\"" } ?? "group \"\(wish.group)\""
            self.init(state: .authorizationFailed, message: "\"\(brokers)\" does not allow \(what): \(error)")
        case .unknownTopic: self.init(state: .topicNotFound, message: "topic \"\(topic ?? "")\" is not there on \"\(brokers)\"")
        case .badSetting: self.init(state: .settingInvalid, message: error.message)
        case .tooLarge, .queueFull, .closed, .fatal, .other:
            self.init(state: .clientFailed, message: "client of \"\(brokers)\": \(error)")
        }
    }
}

/// The partitions that are ours now, for work that wonders whether to go on.
final class KafkaHoldings: Sendable {
    private let partitions = Mutex<Set<KafkaPartition>>([])

    func add(_ fresh: [KafkaPartition]) { partitions.withLock { $0.formUnion(fresh) } }
    func remove(_ gone: [KafkaPartition]) { partitions.withLock { $0.subtract(gone) } }
    func has(_ partition: KafkaPartition) -> Bool { partitions.withLock { $0.contains(partition) } }
}

/// Lets one through in a while, and says how many it held back since the last.
final class SampledGate: Sendable {
    private let period: Duration
    private let state = Mutex<(next: ContinuousClock.Instant?, held: Int)>((nil, 0))

    init(every period: Duration) { self.period = period }

    func pass(_ now: ContinuousClock.Instant) -> Int? {
        state.withLock { state in
            if let next = state.next, now < next {
                state.held += 1
                return nil
            }
            defer { state = (now + period, 0) }
            return state.held
        }
    }
}

extension Signal {
    /// Returns when the signal is set, the time is over, or the task is cancelled.
    func wait(atMost limit: Duration) async {
        await withTaskGroup { group in
            group.addTask { await self.wait() }
            // Being cancelled means that the signal came first.
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
