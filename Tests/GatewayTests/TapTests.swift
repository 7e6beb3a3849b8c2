// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import Protos
import Synchronization
import Testing
import Wire

@testable import Gateway

/// Somebody at the socket, who does as he is told.
final class FakeListener: TapListener {
    enum Mood { case takes, away, refuses, takesButStalls }

    struct Seen {
        var mood = Mood.takes
        /// Batches by number: a batch that comes twice is taken once.
        var batches: [UInt64: TapMessages.Batch] = [:]
        var calls = 0
        var ledgers: [TapMessages.Ledger] = []
    }

    let seen = Mutex(Seen())

    init(_ mood: Mood = .takes) { seen.withLock { $0.mood = mood } }

    var records: [TapMessages.Record] {
        seen.withLock { seen in seen.batches.sorted { $0.key < $1.key }.flatMap(\.value.records) }
    }
    var losses: TapMessages.Losses { seen.withLock { $0.ledgers }.reduce(.init()) { $0 + $1.losses } }

    func turn(_ mood: Mood) { seen.withLock { $0.mood = mood } }

    func ingest(_ batch: [UInt8], within patience: Duration) async throws(UpstreamError) {
        let told: TapMessages.Batch
        do { told = try TapMessages.Batch(scanning: batch[...]) } catch { throw .refused(GRPCStatus(.invalidArgument, "\(error)")) }
        let mood = seen.withLock { seen in
            seen.calls += 1
            if [.takes, .takesButStalls].contains(seen.mood) {
                seen.batches[told.sequence] = told
                seen.ledgers = told.ledgers
            }
            return seen.mood
        }
        switch mood {
        case .takes: return
        case .away: throw .notSent("connection refused")
        case .refuses: throw .refused(GRPCStatus(.resourceExhausted, "too much"))
        case .takesButStalls: throw .deadlineExceeded
        }
    }
}

struct TapTests {
    static func subject(_ servable: String = "tumour-1") -> TapSubject {
        var name = TapMessages.Subject()
        name.namespace = "default"
        name.application = "tumour"
        name.servable = servable
        return TapSubject(name)
    }

    static func record(_ id: String = "r", bytes: Int = 10) -> TapMessages.Record {
        var record = TapMessages.Record()
        record.requestID = id
        record.request = TapMessages.Payload(.hydrosphere, ArraySlice([UInt8](repeating: 7, count: bytes)))
        return record
    }

    /// A tap whose listener has been greeted.
    static func connected(_ settings: Tap.Settings = Tap.Settings(), to listener: FakeListener) async -> TapDrain {
        let tap = Tap(settings)
        var drain = TapDrain(tap, to: listener, instance: "i", logger: Bench.silence)
        _ = await drain.step()
        return drain
    }

    @Test func `what is offered is received, with its subject`() async {
        let listener = FakeListener()
        var drain = await Self.connected(to: listener)
        let tap = drain.tap
        let (one, other) = (Self.subject("a"), Self.subject("b"))
        for (subject, id) in [(one, "1"), (other, "2"), (one, "3")] { tap.offer(subject) { Self.record(id) } }
        _ = await drain.step()
        let batch = listener.seen.withLock { $0.batches[2] }
        #expect(batch?.instanceID == "i")
        #expect(batch?.records.map { batch?.ledgers[$0.ledger].subject.servable } == ["a", "b", "a"])
        #expect(batch?.records.map(\.requestID) == ["1", "2", "3"])
        #expect(tap.bytes == 0 && tap.waiting == 0)
    }

    @Test func `with nobody there no record is even made, and that is counted`() async {
        let listener = FakeListener(.away)
        var drain = await Self.connected(to: listener)
        let tap = drain.tap
        let subject = Self.subject()
        for _ in 0..<3 {
            tap.offer(subject) {
                Issue.record("made a record for nobody")
                return Self.record()
            }
        }
        #expect(tap.waiting == 0 && subject.losses.absent == 3)
        listener.turn(.takes)
        _ = await drain.step()
        #expect(tap.isConnected && listener.losses.absent == 3)
    }

    @Test func `too many records, or too many bytes: the newest is dropped`() async {
        var settings = Tap.Settings()
        settings.records = 2
        settings.bytes = 100
        let listener = FakeListener()
        var drain = await Self.connected(settings, to: listener)
        let tap = drain.tap
        let subject = Self.subject()
        for id in 1...3 { tap.offer(subject) { Self.record("\(id)") } }
        #expect(tap.waiting == 2 && subject.losses.full == 1)
        _ = await drain.step()
        tap.offer(subject) { Self.record("4", bytes: 60) }
        tap.offer(subject) { Self.record("5", bytes: 60) }
        #expect(tap.waiting == 1 && subject.losses.full == 2 && tap.bytes == 60)
        _ = await drain.step()
        _ = await drain.step()
        #expect(listener.records.map(\.requestID) == ["1", "2", "4"])
    }

    @Test func `a record that is too large comes without its tensors`() async {
        var settings = Tap.Settings()
        settings.recordBytes = 50
        let listener = FakeListener()
        var drain = await Self.connected(settings, to: listener)
        let tap = drain.tap
        tap.offer(Self.subject()) { Self.record(bytes: 51) }
        _ = await drain.step()
        #expect(listener.records.first?.tensorsOmitted == true && listener.records.first?.request == nil)
        #expect(listener.losses.oversize == 1 && listener.losses.total == 0)
    }

    @Test func `a batch whose receipt was lost goes again under its number, and what waited is let go of`() async {
        let listener = FakeListener()
        var drain = await Self.connected(to: listener)
        let tap = drain.tap
        let subject = Self.subject()
        for id in 0..<300 { tap.offer(subject) { Self.record("\(id)") } }
        listener.turn(.takesButStalls)
        #expect(await drain.step() > .zero)
        #expect(!tap.isConnected && drain.inFlight == 256 && tap.waiting == 0 && subject.losses.unsent == 44)
        listener.turn(.takes)
        _ = await drain.step()
        #expect(tap.isConnected && drain.inFlight == 0 && tap.bytes == 0)
        #expect(listener.records.count == 256 && listener.seen.withLock { $0.calls } == 3)
    }

    @Test func `a listener that is gone for good costs one batch, and no memory`() async {
        let listener = FakeListener()
        var drain = await Self.connected(to: listener)
        let tap = drain.tap
        let subject = Self.subject()
        tap.offer(subject) { Self.record() }
        listener.turn(.away)
        for _ in 0..<TapDrain.attempts { _ = await drain.step() }
        #expect(drain.inFlight == 0 && tap.bytes == 0 && subject.losses.unsent == 1)
    }

    @Test func `a listener that restarts hears every loss since our start, also of routes that are gone`() async {
        let first = FakeListener()
        var settings = Tap.Settings()
        settings.records = 2
        var drain = await Self.connected(settings, to: first)
        let tap = drain.tap
        do {
            let gone = Self.subject("gone")
            for _ in 0..<4 { tap.offer(gone) { Self.record() } }
        }
        _ = await drain.step()
        first.turn(.away)
        _ = await drain.step(now: .now + .seconds(10))
        first.seen.withLock { $0 = FakeListener.Seen() }
        let again = Self.subject("gone")
        tap.offer(again) { Self.record() }
        _ = await drain.step()
        let ledgers = first.seen.withLock { $0.ledgers }
        #expect(ledgers.count == 1 && ledgers.first?.losses.full == 2 && ledgers.first?.losses.absent == 1)
    }

    @Test func `a batch that is refused is counted, and the next one goes on`() async {
        let listener = FakeListener()
        var drain = await Self.connected(to: listener)
        let tap = drain.tap
        let subject = Self.subject()
        tap.offer(subject) { Self.record() }
        listener.turn(.refuses)
        _ = await drain.step()
        #expect(tap.isConnected && subject.losses.encode == 1 && tap.bytes == 0)
    }

    @Test func `a quiet tap says now and then that it lives`() async {
        let listener = FakeListener()
        var drain = await Self.connected(to: listener)
        _ = await drain.step(now: .now)
        #expect(listener.seen.withLock { $0.calls } == 1)
        _ = await drain.step(now: .now + .seconds(6))
        #expect(listener.seen.withLock { $0.calls } == 2)
    }

    @Test func `offered = received + dropped + in flight, whatever the listener does`() async {
        var settings = Tap.Settings()
        settings.records = 64
        settings.bytes = 4000
        settings.batchRecords = 16
        let listener = FakeListener()
        var drain = await Self.connected(settings, to: listener)
        let tap = drain.tap
        let subjects = (0..<3).map { Self.subject("s\($0)") }
        let moods: [FakeListener.Mood] = [
            .takes, .takesButStalls, .takes, .away, .takes, .refuses, .takes, .away, .away, .away, .away, .takes,
        ]
        var offered = 0
        for round in 0..<120 {
            await withDiscardingTaskGroup { group in
                for subject in subjects {
                    group.addTask { for id in 0..<20 { tap.offer(subject) { Self.record("\(id)", bytes: id * 7) } } }
                }
                listener.turn(moods[round % moods.count])
            }
            offered += 60
            _ = await drain.step()
            // A batch that was taken and not confirmed is with the listener already: it is in flight and received.
            let unconfirmed = moods[round % moods.count] == .takesButStalls ? drain.inFlight : 0
            let lost = subjects.reduce(0) { $0 + $1.losses.total }
            #expect(offered == listener.records.count + lost + tap.waiting + drain.inFlight - unconfirmed)
        }
        #expect(subjects.contains { $0.losses.full > 0 } && subjects.contains { $0.losses.unsent > 0 })
    }
}

struct TapRingTests {
    @Test func `many push and one takes: each record once, in its pusher's order`() async {
        let ring = TapRing(capacity: 50)
        let subjects = (0..<4).map { TapTests.subject("\($0)") }
        let count = 5000
        var taken = [[Int]](repeating: [], count: subjects.count)
        await withTaskGroup(of: Void.self) { group in
            for subject in subjects {
                group.addTask {
                    var id = 0
                    while id < count {
                        if ring.push(TapRecord(subject, TapTests.record("\(id)"))) { id += 1 } else { await Task.yield() }
                    }
                }
            }
            while taken.reduce(0, { $0 + $1.count }) < count * subjects.count {
                guard let record = ring.pop() else {
                    await Task.yield()
                    continue
                }
                taken[Int(record.subject.name.servable) ?? 0].append(Int(record.message.requestID) ?? -1)
            }
        }
        #expect(taken.allSatisfy { $0 == Array(0..<count) })
        #expect(ring.pop() == nil && ring.count == 0)
    }
}

struct TapOfCallsTests {
    @Test func `a call is told with what was asked and answered, and a shadowless one is not`() async throws {
        let tap = Tap()
        let listener = FakeListener()
        var drain = TapDrain(tap, to: listener, instance: "i", logger: Bench.silence)
        _ = await drain.step()
        let tensors = ["features": Tensor(.double, [2], .double([1, 2]))]
        try await Bench.run([FakeModel.labelling(7), FakeModel { (_) throws(GRPCStatus) in throw GRPCStatus(.internal, "no") }], tap: tap) {
            bench in
            bench.serve("tumour", weights: [100])
            bench.serve("broken", weights: [0, 100])
            bench.feed.tell(Objects.servable("tumour-1", port: bench.ports[0]), at: ObjectKey("default", "tumour-1"))
            _ = try await bench.call("PredictApplication", "tumour", tensors, ["x-request-id": "r-1"])
            _ = try await bench.call("ShadowlessPredictServable", "tumour-1", tensors)
            await #expect(throws: UpstreamError.self) { try await bench.call("PredictApplication", "broken", tensors) }
        }
        _ = await drain.step()
        let batch = listener.seen.withLock { $0.batches[2] }
        #expect(batch?.ledgers.map(\.subject.application).sorted() == ["broken", "tumour"])
        let (good, bad) = (listener.records.first, listener.records.last)
        #expect(listener.records.count == 2 && good?.requestID == "r-1" && good?.outcome == .ok && bad?.outcome == .model)
        #expect(try good?.request.map { try WireTensors(scanning: $0.message).tensors() } == tensors)
        #expect(try good?.answer.map { try WireTensors(scanning: $0.message).tensors() } == ["label": Tensor(.int64, .scalar, .int64([7]))])
        #expect(bad?.answer == nil && bad?.message.contains("no") == true)
    }
}
