// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import Kafka
package import Logging
import ServiceLifecycle

/// Predictions over Kafka: one consumer for each entry of the routes, for as long as the entry is there.
///
/// On a graceful shutdown every entry stops reading, finishes what is in flight, commits, and leaves its group.
package struct KafkaFront: ServiceLifecycle.Service {
    package struct Settings: Sendable {
        /// Messages of an entry that are read and whose offsets are not committed: what a killed gateway answers again, at most.
        package var maxInFlight = 256
        /// How long a message waits for pods that are away or busy before it is a failure.
        package var patience: Duration = .seconds(300)
        /// How often a message is tried whose answer was lost, or too late.
        package var attempts = 3
        /// When a gateway that is silent for so long loses its partitions to others.
        package var sessionTimeout: Duration = .seconds(10)
        /// How long what is in flight may take when an entry ends.
        package var drain: Duration = .seconds(8)
        /// The longest that one try may take, whatever the Application says.
        package var requestTimeout: Duration = .seconds(60)
        /// How often brokers and topics are looked at; seven times as often while something is wrong.
        package var checkEvery: Duration = .seconds(15)
        package var secretEvery: Duration = .seconds(15)

        package init() {}
    }

    private let core: FrontCore
    private let wishes: KafkaWishes
    private let secrets: KafkaSecrets
    private let board: KafkaBoard
    private let settings: Settings
    private let logger: Logger

    package init(
        _ core: FrontCore, wishes: KafkaWishes, secrets: KafkaSecrets, board: KafkaBoard, settings: Settings = Settings(), logger: Logger
    ) {
        self.core = core
        self.wishes = wishes
        self.secrets = secrets
        self.board = board
        self.settings = settings
        self.logger = logger
    }

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            var running: [KafkaWish: Signal] = [:]
            for await _ in wishes.changes.cancelOnGracefulShutdown() {
                let wanted = wishes.all
                for (wish, stop) in running where !wanted.contains(wish) {
                    stop.set()
                    running[wish] = nil
                }
                for wish in wanted where running[wish] == nil {
                    let stop = Signal()
                    running[wish] = stop
                    group.addTask { await serve(wish, until: stop) }
                }
            }
            for stop in running.values { stop.set() }
        }
    }

    /// One session after another, further apart while they fail.
    private func serve(_ wish: KafkaWish, until stop: Signal) async {
        let meters = KafkaMeters(wish)
        board.begin(wish)
        defer { board.end(wish) }
        var failures = 0
        while !stop.isSet, !Task.isCancelled {
            let began = ContinuousClock.now
            await session(wish, meters, stop)
            failures = .now - began > .seconds(60) ? 0 : min(failures + 1, 6)
            if !stop.isSet { await stop.wait(atMost: .milliseconds(250 * (1 << failures))) }
        }
    }

    private func session(_ wish: KafkaWish, _ meters: KafkaMeters, _ stop: Signal) async {
        func watch(_ credentials: KafkaCredentials) -> KafkaWatch {
            KafkaWatch(
                wish: wish, credentials: credentials, secrets: secrets, board: board, meters: meters, settings: settings, stop: stop,
                logger: logger)
        }
        do throws(KafkaTrouble) {
            let credentials = try await secrets.credentials(for: wish)
            let (consumer, producer) = try await clients(wish, credentials)
            await KafkaSession(
                exchange: KafkaExchange(core: core, wish: wish, requestTimeout: settings.requestTimeout), consumer: consumer,
                producer: producer, watch: watch(credentials), meters: meters, settings: settings,
                complaints: KafkaComplaints(wish, logger: logger)
            ).run()
        } catch {
            watch(KafkaCredentials()).tell(error)
        }
    }

    private func clients(
        _ wish: KafkaWish, _ credentials: KafkaCredentials
    ) async throws(KafkaTrouble) -> (KafkaConsumer, KafkaProducer) {
        var brokers = KafkaBrokers(wish.entry.bootstrapServers, tls: credentials.tls, sasl: credentials.sasl)
        brokers.clientID = "hydro-gateway"
        var membership = KafkaConsumerSettings(group: wish.group, topic: wish.entry.sourceTopic)
        membership.maxInFlight = settings.maxInFlight
        membership.sessionTimeout = settings.sessionTimeout
        membership.revokeLimit = settings.drain
        let producer: KafkaProducer
        do throws(KafkaError) {
            producer = try KafkaProducer(brokers, maxWaiting: 2 * settings.maxInFlight, logger: logger)
        } catch { throw KafkaTrouble(error, at: wish) }
        do throws(KafkaError) {
            return (try KafkaConsumer(brokers, membership, logger: logger), producer)
        } catch {
            await producer.close(within: .zero)
            throw KafkaTrouble(error, at: wish)
        }
    }
}
