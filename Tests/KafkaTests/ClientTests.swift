// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CRdKafka
import Logging
import Synchronization
import Testing

@testable import Kafka

@Suite(.timeLimit(.minutes(2))) struct ClientTests {
    @Test func `what was written is read, in order, with key, headers and time, and not again once finished`() async throws {
        let lab = try Lab()
        let texts = (0..<50).map { "message \($0)" }
        try await lab.write(texts)
        let first = try lab.consumer()
        var read: [KafkaRecord] = []
        for await case .record(let record) in first.events {
            read.append(record)
            if read.count == texts.count { break }
        }
        #expect(read.map(\.text) == texts)
        #expect(read[7].key == Array("7".utf8))
        #expect(read[7].header("n") == "7")
        #expect(read[7].timestamp ?? 0 > 1_600_000_000_000)
        for record in read.dropLast(10).reversed() { first.finish(record) }
        await first.close(within: .zero)
        #expect(first.statistics.commits >= 1)

        let second = try lab.consumer()
        for await case .record(let record) in second.events {
            #expect(record.text == "message 40")
            break
        }
        await second.close(within: .zero)
    }

    @Test func `no more is read than has room, fetching pauses, and goes on when there is room again`() async throws {
        let lab = try Lab()
        try await lab.write((0..<40).map { "\($0)" })
        let consumer = try lab.consumer(maxInFlight: 8)
        let seen = Mutex<[KafkaRecord]>([])
        async let reading: Void = {
            for await case .record(let record) in consumer.events { seen.withLock { $0.append(record) } }
        }()
        try await eventually { consumer.statistics.isPaused }
        #expect(seen.withLock(\.count) == 8)
        #expect(consumer.statistics.inFlight == 8)
        var finished = 0
        try await eventually {
            let fresh = seen.withLock { Array($0[finished...]) }
            for record in fresh { consumer.finish(record) }
            finished += fresh.count
            return finished == 40
        }
        await consumer.close(within: .seconds(5))
        await reading
        #expect(seen.withLock { $0.map(\.text) } == (0..<40).map { "\($0)" })
        #expect(consumer.statistics.pauses >= 1)
    }

    @Test func `a second member takes over partitions, and nothing is lost or read twice`() async throws {
        let lab = try Lab(partitions: 4)
        let total = 400
        let tally = ReadTally()
        let (first, second) = (try lab.consumer(maxInFlight: 16), try lab.consumer(maxInFlight: 16))
        async let one: Void = first.finishAll(tally)
        try await lab.write((0..<total / 2).map { "a\($0)" })
        try await eventually { tally.counts.count > 10 }
        async let two: Void = second.finishAll(tally)
        try await eventually(within: .seconds(40)) { second.statistics.partitions == 2 && first.statistics.partitions == 2 }
        try await lab.write((0..<total / 2).map { "b\($0)" })
        try await eventually { tally.counts.count == total }
        await first.close(within: .seconds(5))
        await second.close(within: .seconds(5))
        _ = await (one, two)
        #expect(tally.counts.values.allSatisfy { $0 == 1 })
    }

    @Test func `records wait for brokers that are down, and arrive when they are up`() async throws {
        let lab = try Lab()
        let producer = try lab.producer()
        _ = try await producer.send(KafkaMessage(topic: "in", key: nil, value: [1]))
        lab.cluster.goDown()
        async let late = producer.send(KafkaMessage(topic: "in", key: nil, value: [2]))
        do throws(KafkaError) {
            _ = try await producer.check(["in"], within: .seconds(1))
            Issue.record("wanted no answer")
        } catch { #expect(error.kind == .brokersDown, "\(error.name) \(error)") }
        lab.cluster.comeUp()
        #expect(try await late.offset == 1)
        #expect(try await producer.check(["in"]).isEmpty)
        await producer.close(within: .seconds(5))
    }

    @Test func `a topic that is not there is named, and found once it is made`() async throws {
        let lab = try Lab()
        let producer = try lab.producer()
        lab.cluster.create("out")
        lab.cluster.fail("out", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        let wrong = try await producer.check(["in", "out"])
        #expect(wrong.mapValues(\.kind) == ["out": .unknownTopic])
        lab.cluster.fail("out", RD_KAFKA_RESP_ERR_NO_ERROR)
        #expect(try await producer.check(["in", "out"]).isEmpty)
        await producer.close(within: .seconds(5))
    }

    @Test func `a closed producer gives up what no broker took, and says so to each`() async throws {
        let lab = try Lab()
        let producer = try lab.producer()
        lab.cluster.goDown()
        async let lost = { () async -> KafkaError? in
            do throws(KafkaError) { _ = try await producer.send(KafkaMessage(topic: "in", key: nil, value: [1])) } catch { return error }
            return nil
        }()
        try await eventually { producer.statistics.waiting == 1 }
        await producer.close(within: .zero)
        #expect(await lost?.kind == .closed)
        #expect(producer.statistics.waiting == 0)
        do throws(KafkaError) { try producer.enqueue(KafkaMessage(topic: "in", key: nil, value: [])) { _ in } } catch {
            #expect(error.kind == .closed)
        }
    }

    @Test func `a setting that the library refuses is named, and its value is not told`() {
        let tls = KafkaBrokers.TLS(authorities: "no certificate", certificate: nil, key: "secret words")
        do throws(KafkaError) {
            _ = try KafkaProducer(KafkaBrokers("127.0.0.1:1", tls: tls), logger: Lab.silence)
            Issue.record("wanted a refusal")
        } catch {
            #expect(error.kind == .badSetting)
            #expect(!error.message.contains("secret words"))
        }
    }

    @Test func `log lines are let through so many in a while`() {
        let lines = Mutex(0)
        var funnel = LogFunnel(logger: Logger(label: "test") { _ in Counting { lines.withLock { $0 += 1 } } })
        let start = ContinuousClock.now
        for _ in 0..<100 { funnel.note(level: 3, "FAIL", "refused", now: start) }
        #expect(lines.withLock { $0 } == LogFunnel.most)
        funnel.note(level: 3, "FAIL", "refused", now: start + LogFunnel.window)
        #expect(lines.withLock { $0 } == LogFunnel.most + 1)
    }

    @Test func `a reason has no times and counts that change`() {
        let text = "h:1/bootstrap: Connect to ipv4#1.2.3.4:1 failed: Connection refused (after 0ms in state CONNECT)"
        #expect(KafkaClient.settled(text) == "h:1/bootstrap: Connect to ipv4#1.2.3.4:1 failed: Connection refused")
        #expect(KafkaClient.settled("plain (words)") == "plain (words)")
    }
}

extension KafkaConsumer {
    /// Finishes each record once it has been told, until the consumer is closed.
    fileprivate func finishAll(_ tally: ReadTally) async {
        for await case .record(let record) in events {
            tally.add(record.text)
            finish(record)
        }
    }
}

/// How often each text was read.
private final class ReadTally: Sendable {
    private let seen = Mutex<[String: Int]>([:])
    var counts: [String: Int] { seen.withLock { $0 } }
    func add(_ text: String) { seen.withLock { $0[text, default: 0] += 1 } }
}

/// Counts lines.
private struct Counting: LogHandler {
    let note: @Sendable () -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    init(_ note: @escaping @Sendable () -> Void) { self.note = note }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { note() }
}
