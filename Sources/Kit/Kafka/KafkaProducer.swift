// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CRdKafka
package import Logging
import Synchronization

/// Where the broker put a record.
package struct KafkaPlace: Sendable, Equatable {
    package var partition: KafkaPartition
    package var offset: Int64
}

/// Writes records: acknowledged by all replicas, each once and in the order of `enqueue`, as long as the process lives.
///
/// While no broker answers, records wait. A topic that does not exist fails its records after two seconds.
package final class KafkaProducer: @unchecked Sendable {
    // SAFETY: `client` is used from elsewhere only inside `state`'s lock and while that says that it is open.

    package typealias Outcome = Result<KafkaPlace, KafkaError>

    /// What has happened since the start.
    package struct Statistics: Sendable, Equatable {
        package var delivered = 0
        package var failed = 0
        /// Enqueued and neither delivered nor failed.
        package var waiting = 0
    }

    private struct State {
        var isOpen = true
        var closeBy: ContinuousClock.Instant?
        var requests: [@Sendable () -> Void] = []
        var statistics = Statistics()
        var whenClosed: [CheckedContinuation<Void, Never>] = []
        var isGone = false
    }

    /// One record under way.
    private final class Letter {
        let then: @Sendable (Outcome) -> Void
        init(_ then: @escaping @Sendable (Outcome) -> Void) { self.then = then }
    }

    private let client: KafkaClient
    private let maxWaiting: Int
    private let state = Mutex(State())

    /// Starts the client's thread; `close` must follow. No broker has to be there.
    ///
    /// - Parameter maxWaiting: records that may wait for their acknowledgement; more are refused.
    package init(_ brokers: KafkaBrokers, maxWaiting: Int = 10_000, logger: Logger) throws(KafkaError) {
        client = try KafkaClient(RD_KAFKA_PRODUCER, brokers.properties + KafkaProducerSettings.properties, logger: logger)
        self.maxWaiting = maxWaiting
        client.onDelivery = { [weak self] in self?.delivered($0) }
        client.start(named: "kafka producer") { [self] in run() }
    }

    package var statistics: Statistics { state.withLock { $0.statistics } }

    /// What went wrong between client and brokers last; nil once they answered a `check`.
    package var trouble: KafkaError? { client.lastTrouble }

    /// Puts a record into the queue; `then` is called once, on the client's thread. Does not block. Cost: a copy of the record.
    package func enqueue(_ message: KafkaMessage, then: @escaping @Sendable (Outcome) -> Void) throws(KafkaError) {
        let failure: KafkaError? = state.withLock { state in
            guard state.isOpen else { return KafkaError(.closed, "the producer is closed") }
            guard state.statistics.waiting < maxWaiting else {
                return KafkaError(.queueFull, "\(maxWaiting) records wait for their acknowledgement already")
            }
            let letter = Unmanaged.passRetained(Letter(then))
            let code = produce(message, letter.toOpaque())
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                letter.release()
                return KafkaError(code)
            }
            state.statistics.waiting += 1
            return nil
        }
        if let failure { throw failure }
    }

    /// Writes a record and waits for its acknowledgement, which may take as long as brokers are away.
    package func send(_ message: KafkaMessage) async throws(KafkaError) -> KafkaPlace {
        let outcome: Outcome = await withCheckedContinuation { continuation in
            do throws(KafkaError) { try enqueue(message) { continuation.resume(returning: $0) } } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try outcome.get()
    }

    /// Asks the brokers for topics, and tells what is wrong with each that is; throws when no broker answers in time.
    package func check(_ topics: [String], within limit: Duration = .seconds(3)) async throws(KafkaError) -> [String: KafkaError] {
        let answer: Result<[String: KafkaError], KafkaError> = await withCheckedContinuation { continuation in
            let isTaken = state.withLock { state in
                guard state.isOpen else { return false }
                state.requests.append { [self] in continuation.resume(returning: ask(topics, limit)) }
                return true
            }
            if !isTaken { continuation.resume(returning: .failure(KafkaError(.closed, "the producer is closed"))) }
        }
        return try answer.get()
    }

    /// Takes no more records, waits for those under way until the limit, gives up the rest, and ends the thread.
    package func close(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            let isGone = state.withLock { state in
                state.isOpen = false
                state.closeBy = min(state.closeBy ?? .now + limit, .now + limit)
                if !state.isGone { state.whenClosed.append(continuation) }
                return state.isGone
            }
            if isGone { continuation.resume() }
        }
    }
}

// What runs on the client's thread.
extension KafkaProducer {
    private func run() {
        while true {
            rd_kafka_poll(client.handle, 50)
            let (requests, closeBy) = state.withLock { state in
                defer { state.requests = [] }
                return (state.requests, state.closeBy)
            }
            for request in requests { request() }
            guard let closeBy else { continue }
            if rd_kafka_outq_len(client.handle) == 0 || .now >= closeBy { break }
        }
        rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        // Each record's report comes, with the reason that it was given up.
        let end = ContinuousClock.now + .seconds(2)
        while rd_kafka_outq_len(client.handle) > 0, .now < end { rd_kafka_poll(client.handle, 20) }
        let waiting = state.withLock { state in
            state.isGone = true
            defer { state.whenClosed = [] }
            return state.whenClosed
        }
        for continuation in waiting { continuation.resume() }
    }

    private func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
        guard let pointer = message.pointee._private else { return }
        let letter = Unmanaged<Letter>.fromOpaque(pointer).takeRetainedValue()
        let code = message.pointee.err
        state.withLock { state in
            state.statistics.waiting -= 1
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { state.statistics.delivered += 1 } else { state.statistics.failed += 1 }
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            letter.then(.failure(KafkaError(code)))
            return
        }
        let topic = message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        let partition = KafkaPartition(topic, message.pointee.partition)
        letter.then(.success(KafkaPlace(partition: partition, offset: message.pointee.offset)))
    }

    private func ask(_ topics: [String], _ limit: Duration) -> Result<[String: KafkaError], KafkaError> {
        var wrong: [String: KafkaError] = [:]
        for topic in topics {
            guard let name = rd_kafka_topic_new(client.handle, topic, nil) else {
                wrong[topic] = KafkaError(rd_kafka_last_error())
                continue
            }
            defer { rd_kafka_topic_destroy(name) }
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let code = rd_kafka_metadata(client.handle, 0, name, &metadata, Int32(limit.milliseconds))
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
                // The errors that explain a silence come as callbacks.
                rd_kafka_poll(client.handle, 0)
                return .failure(client.lastTrouble ?? KafkaError(code))
            }
            defer { rd_kafka_metadata_destroy(metadata) }
            let found = (0..<Int(metadata.pointee.topic_cnt)).map { metadata.pointee.topics[$0] }
            for one in found where one.err != RD_KAFKA_RESP_ERR_NO_ERROR { wrong[topic] = KafkaError(one.err) }
        }
        client.clearTrouble()
        return .success(wrong)
    }
}

// What is called inside the lock.
extension KafkaProducer {
    private func produce(_ message: KafkaMessage, _ letter: UnsafeMutableRawPointer) -> rd_kafka_resp_err_t {
        let headers = message.headers.isEmpty ? nil : rd_kafka_headers_new(message.headers.count)
        for header in message.headers {
            header.value.withUnsafeBytes { value in
                _ = rd_kafka_header_add(headers, header.name, -1, value.baseAddress, value.count)
            }
        }
        let code = Self.lend(message.key) { key in
            Self.lend(message.value) { value in
                crdkafka_produce(
                    client.handle, message.topic, key.baseAddress, key.count, value.baseAddress, value.count, headers, letter)
            }
        }
        if code != RD_KAFKA_RESP_ERR_NO_ERROR, let headers { rd_kafka_headers_destroy(headers) }
        return code
    }

    /// Lends bytes; an empty array has an address, since a null one means that there is none.
    private static func lend<Value>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        guard let bytes else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        guard bytes.isEmpty else { return bytes.withUnsafeBytes(body) }
        return withUnsafeBytes(of: UInt8(0)) { body(UnsafeRawBufferPointer(rebasing: $0[0..<0])) }
    }
}
