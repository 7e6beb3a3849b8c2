// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Protos
import Testing

struct TapMessagesTests {
    static var batch: TapMessages.Batch {
        var subject = TapMessages.Subject()
        subject.namespace = "default"
        subject.application = "tumour"
        subject.stage = "stage-0"
        subject.servable = "tumour-1"
        subject.model = "tumour"
        subject.version = 1
        subject.isShadow = true
        var losses = TapMessages.Losses()
        (losses.full, losses.oversize, losses.encode, losses.absent, losses.unsent) = (1, 2, 3, 4, 500)
        var record = TapMessages.Record()
        record.ledger = 1
        record.requestID = "r-1"
        record.traceID = "0123"
        record.answeredAt = 1_795_375_000_123_456_789
        record.latencyNanos = 1_500_000
        record.outcome = .model
        record.message = "no"
        record.request = TapMessages.Payload(.hydrosphere, ArraySlice([UInt8](repeating: 1, count: 200)))
        record.answer = TapMessages.Payload(.openInference, [])
        var batch = TapMessages.Batch()
        batch.instanceID = "abc"
        batch.sequence = 300
        batch.ledgers = [TapMessages.Ledger(TapMessages.Subject()), TapMessages.Ledger(subject, losses)]
        batch.records = [TapMessages.Record(), record]
        return batch
    }

    @Test func `a batch is read as it was written`() throws {
        let bytes = Self.batch.message()
        #expect(try TapMessages.Batch(scanning: bytes[...]) == Self.batch)
        // Elsewhere in a buffer, too.
        #expect(try TapMessages.Batch(scanning: ([9, 9] + bytes + [9])[2..<bytes.count + 2]) == Self.batch)
    }

    @Test(arguments: [126, 127, 128, 16_383, 16_384]) func `lengths are right where their own length changes`(count: Int) throws {
        var batch = Self.batch
        batch.records[1].request?.message = ArraySlice([UInt8](repeating: 1, count: count))
        #expect(try TapMessages.Batch(scanning: batch.message()[...]) == batch)
    }

    /// What `protoc --encode` makes of the same values in text, by `proto/hydro/tap.proto`.
    static let encoded =
        "0a0361626310ac021a020a001a3d0a300a0764656661756c74120674756d6f75721a0773746167652d30220874756d6f75722d312a067475"
        + "6d6f757230013801100118022003280430f403223108011203722d311a04303132332115bdf9e00c74ea1828e0c65b30023a026e6f420608"
        + "01120201024a0508031201035001"

    @Test func `a batch is what the protocol's own compiler makes of it`() throws {
        var batch = Self.batch
        batch.records.removeFirst()
        batch.records[0].tensorsOmitted = true
        batch.records[0].request?.message = [1, 2]
        batch.records[0].answer?.message = [3]
        let bytes = stride(from: 0, to: Self.encoded.count, by: 2).compactMap { UInt8(Self.encoded.dropFirst($0).prefix(2), radix: 16) }
        #expect(try TapMessages.Batch(scanning: bytes[...]) == batch)
        // Ours has the fields of a record in another order, so it is compared by what is read, and by size.
        #expect(batch.message().count == bytes.count)
    }

    @Test func `a batch that is cut is no batch`() {
        let bytes = Self.batch.message()
        #expect(throws: ProtoError.self) { try TapMessages.Batch(scanning: bytes.dropLast()) }
    }
}
