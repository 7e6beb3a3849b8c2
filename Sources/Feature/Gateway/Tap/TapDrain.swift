// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeRuntime
import Logging
import Metrics
import Protos
import Wire

/// Where batches go.
protocol TapListener: Sendable {
    /// Gives the batch over; returns when it has been taken.
    func ingest(_ batch: [UInt8], within patience: Duration) async throws(UpstreamError)
}

/// Empties a tap into its listener, batch by batch, by one task.
struct TapDrain {
    /// A batch that nobody has confirmed is offered so often before it is given up.
    static let attempts = 3

    let tap: Tap
    let listener: any TapListener
    let logger: Logger
    private let instance: String
    private var books = TapBooks()
    private var sequence: UInt64 = 0
    private var underWay: Batch?
    private var failures = 0
    private var spokeAt: ContinuousClock.Instant?
    private var meters = TapMeters()
    private let backoff = Backoff(first: .milliseconds(100), cap: .seconds(10))

    private struct Batch {
        var sequence: UInt64 = 0
        var records: [TapRecord] = []
        var attempts = 0
    }

    /// - Parameter instance: random, for each start of the program.
    init(_ tap: Tap, to listener: any TapListener, instance: String, logger: Logger) {
        self.tap = tap
        self.listener = listener
        self.instance = instance
        self.logger = logger
    }

    /// Records that were taken from the buffer and that nobody has confirmed.
    var inFlight: Int { underWay?.records.count ?? 0 }

    /// Sends what there is, at most one batch, and says how long to rest.
    mutating func step(now: ContinuousClock.Instant = .now) async -> Duration {
        books.add(tap.freshSubjects())
        defer { meters.tell(tap, books.totals(), taken: tap.taken) }
        guard var batch = underWay ?? collect(now) else { return tap.settings.pause }
        batch.attempts += 1
        underWay = batch
        do throws(UpstreamError) {
            try await listener.ingest(message(of: batch), within: tap.settings.patience)
        } catch {
            return failed(batch, error)
        }
        taken(batch, now)
        return tap.waiting > 0 ? .zero : tap.settings.pause
    }

    /// What waits; without records only where nobody is known to listen, or to say that we live.
    private mutating func collect(_ now: ContinuousClock.Instant) -> Batch? {
        var batch = Batch()
        var bytes = 0
        while batch.records.count < tap.settings.batchRecords, bytes < tap.settings.batchBytes, let record = tap.take() {
            batch.records.append(record)
            bytes += record.bytes
        }
        let isQuiet = spokeAt.map { now - $0 >= tap.settings.heartbeat } ?? true
        guard !batch.records.isEmpty || !tap.isConnected || isQuiet else { return nil }
        sequence += 1
        batch.sequence = sequence
        return batch
    }

    private mutating func message(of batch: Batch) -> [UInt8] {
        var message = TapMessages.Batch()
        message.instanceID = instance
        message.sequence = batch.sequence
        message.ledgers = books.ledgers(wanted: Set(batch.records.map(\.subject.name)))
        let places = Dictionary(uniqueKeysWithValues: message.ledgers.enumerated().map { ($1.subject, $0) })
        message.records = batch.records.map { record in
            var told = record.message
            told.ledger = places[record.subject.name] ?? 0
            return told
        }
        return message.message()
    }

    private mutating func taken(_ batch: Batch, _ now: ContinuousClock.Instant) {
        underWay = nil
        failures = 0
        spokeAt = now
        tap.release(batch.records)
        meters.sent.increment(by: batch.records.count)
        if !tap.isConnected {
            logger.info("tap connected")
            tap.connected(true)
        }
    }

    private mutating func failed(_ batch: Batch, _ error: UpstreamError) -> Duration {
        if tap.isConnected, case .refused(let status) = error, ![.unavailable, .unimplemented].contains(status.code) {
            // It listens, and does not want this one.
            logger.warning("tap's listener refused a batch", metadata: ["reason": "\(error)", "records": "\(batch.records.count)"])
            giveUp(batch, as: .encode)
            return tap.settings.pause
        }
        if tap.isConnected { logger.warning("tap lost its listener", metadata: ["reason": "\(error)"]) }
        tap.connected(false)
        // The batch may have been taken, so only the batch is offered again, under its number; what waits is let go of.
        if batch.records.isEmpty || batch.attempts >= Self.attempts { giveUp(batch, as: .unsent) }
        while let record = tap.take() {
            record.subject.count(.unsent)
            tap.release([record])
        }
        failures += 1
        return backoff.delay(after: failures, draw: .random(in: 0..<1))
    }

    private mutating func giveUp(_ batch: Batch, as loss: TapSubject.Loss) {
        for record in batch.records { record.subject.count(loss) }
        tap.release(batch.records)
        underWay = nil
    }
}
