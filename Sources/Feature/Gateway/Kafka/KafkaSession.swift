// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import Kafka
import Logging
import Telemetry
import Wire

/// One entry's consumer and producer, from their start to their end.
///
/// One loop owns the lanes and hears of everything; predictions run beside it. Whatever ends a session, what was read and not
/// acknowledged is read again by whoever has the partition next.
struct KafkaSession: Sendable {
    enum Step: Sendable {
        case event(KafkaConsumer.Event)
        case worked(KafkaLanes.Ticket, KafkaLanes.Outcome)
        case delivered(KafkaLanes.Ticket, KafkaError?)
        case wake(KafkaPartition)
    }

    let exchange: KafkaExchange
    let consumer: KafkaConsumer
    let producer: KafkaProducer
    let watch: KafkaWatch
    let meters: KafkaMeters
    let settings: KafkaFront.Settings
    let complaints: KafkaComplaints

    /// Until the watch has a reason to end it, or the client has. Then: reads no more, finishes what is in flight within the drain, commits,
    /// leaves the group.
    func run() async {
        await withDiscardingTaskGroup { group in
            let (steps, feed) = AsyncStream<Step>.makeStream()
            group.addTask {
                for await event in consumer.events { feed.yield(.event(event)) }
                feed.finish()
            }
            group.addTask {
                await watch.untilOver(consumer, producer)
                await consumer.close(within: settings.drain)
            }
            var lanes = KafkaLanes()
            for await step in steps {
                for action in take(step, into: &lanes) { act(action, feed, &lanes, &group) }
            }
            group.cancelAll()
        }
        await consumer.close(within: .zero)
        await producer.close(within: .seconds(1))
        meters.tell(KafkaConsumerStatistics())
    }

    private func take(_ step: Step, into lanes: inout KafkaLanes) -> [KafkaLanes.Action] {
        switch step {
        case .event(.assigned(let partitions)):
            watch.holdings.add(partitions)
            return []
        case .event(.record(let record)): return lanes.take(record)
        case .event(.revoked(let partitions)):
            watch.holdings.remove(partitions)
            lanes.revoke(partitions)
            return []
        case .worked(let ticket, let outcome): return lanes.worked(ticket, outcome)
        case .delivered(let ticket, let failure): return lanes.delivered(ticket, failure)
        case .wake(let partition): return lanes.wake(partition)
        }
    }

    private func act(
        _ action: KafkaLanes.Action, _ feed: AsyncStream<Step>.Continuation, _ lanes: inout KafkaLanes, _ group: inout DiscardingTaskGroup
    ) {
        switch action {
        case .work(let record, let ticket):
            group.addTask { if let outcome = await work(record, ticket) { feed.yield(.worked(ticket, outcome)) } }
        case .produce(let message, let ticket):
            do throws(KafkaError) {
                try producer.enqueue(message) { outcome in
                    if case .failure(let error) = outcome {
                        feed.yield(.delivered(ticket, error))
                    } else {
                        feed.yield(.delivered(ticket, nil))
                    }
                }
            } catch { feed.yield(.delivered(ticket, error)) }
        case .finish(let record, let outcome):
            consumer.finish(record)
            meters.count(outcome.isFailure ? (outcome.message == nil ? .dropped : .failed) : .answered)
        case .refused(let record, let outcome, let error, let ticket):
            let next = instead(of: outcome, for: record, error)
            for action in lanes.worked(ticket, next) { act(action, feed, &lanes, &group) }
        case .rest(let partition, let failures):
            group.addTask {
                // Cancelled, there is nobody to wake.
                guard (try? await Task.sleep(for: Self.pause(after: failures, from: .milliseconds(200)))) != nil else { return }
                feed.yield(.wake(partition))
            }
        }
    }

    /// A result that no broker takes is a failure; a failure that none takes is counted and told.
    private func instead(of outcome: KafkaLanes.Outcome, for record: KafkaRecord, _ error: KafkaError) -> KafkaLanes.Outcome {
        let fault = HTTPFault(tooLarge: error, to: outcome.message?.topic ?? "")
        if outcome.isFailure {
            complaints.note(fault, record)
            return KafkaLanes.Outcome(isFailure: true)
        }
        return failure(record, exchange.requestID(of: record), fault)
    }

    private func failure(_ record: KafkaRecord, _ id: RequestID, _ fault: HTTPFault) -> KafkaLanes.Outcome {
        let message = exchange.failure(record, id, fault)
        if message == nil { complaints.note(fault, record) }
        return KafkaLanes.Outcome(message: message, isFailure: true)
    }

    /// Predicts, again and again where that may help; nil where the record is not ours any more, or will be read again.
    private func work(_ record: KafkaRecord, _ ticket: KafkaLanes.Ticket) async -> KafkaLanes.Outcome? {
        let id = exchange.requestID(of: record)
        let began = ContinuousClock.now
        var failures = 0
        while true {
            do throws(PredictionError) {
                return KafkaLanes.Outcome(message: try await exchange.predict(record, id))
            } catch {
                failures += 1
                let patience = KafkaPatience(error)
                guard patience == .none || !(Task.isCancelled || watch.stop.isSet) else { return nil }
                let isSpent =
                    switch patience {
                    case .none: true
                    case .few: failures >= settings.attempts
                    case .wait: .now - began >= settings.patience
                    }
                if isSpent { return failure(record, id, HTTPFault(error)) }
                meters.retry()
                // Cancelled, the record is left to whoever reads it next.
                guard (try? await Task.sleep(for: Self.pause(after: failures, from: .milliseconds(100)))) != nil,
                    watch.holdings.has(ticket.partition)
                else { return nil }
            }
        }
    }

    /// Doubling to five seconds, and never in step with others.
    private static func pause(after failures: Int, from first: Duration) -> Duration {
        min(first * (1 << min(failures - 1, 10)), .seconds(5)) * Double.random(in: 0.75..<1.25)
    }
}

/// Tells of failures that no topic keeps, now and then.
final class KafkaComplaints: Sendable {
    private let gate: SampledGate
    private let wish: KafkaWish
    private let logger: Logger

    init(_ wish: KafkaWish, logger: Logger) {
        self.wish = wish
        self.logger = logger
        gate = SampledGate(every: .seconds(10))
    }

    func note(_ fault: HTTPFault, _ record: KafkaRecord) {
        guard let held = gate.pass(.now) else { return }
        logger.warning(
            "message failed and no topic keeps it",
            metadata: [
                "application": "\(wish.application)", "source": "\(record.partition)", "offset": "\(record.offset)",
                "reason": "\(fault.error)",
                "message": "\(fault.information.prefix(500))", "untold": "\(held)",
            ])
    }
}
