// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// The messages of `proto/hydro/tap.proto`, written and read by hand: a gateway under load writes one record for each call of a variant.
package enum TapMessages {
    /// The method's path over gRPC.
    package static let path = "/hydro.tap.v1.Tap/Ingest"

    /// What is watched: a variant in its place.
    package struct Subject: Hashable, Sendable {
        package var namespace = ""
        /// Empty for a servable that was asked by its own name.
        package var application = ""
        package var stage = ""
        package var servable = ""
        package var model = ""
        package var version = 0
        package var isShadow = false
        package init() {}
    }

    /// What became of a subject's calls that were not received, since the gateway started.
    package struct Losses: Hashable, Sendable {
        package var full = 0
        /// Received without tensors, and so not part of `total`.
        package var oversize = 0
        package var encode = 0
        package var absent = 0
        package var unsent = 0
        package init() {}

        package var total: Int { full + encode + absent + unsent }
        package var isEmpty: Bool { total == 0 && oversize == 0 }

        package static func + (one: Losses, other: Losses) -> Losses {
            var sum = one
            sum.full += other.full
            sum.oversize += other.oversize
            sum.encode += other.encode
            sum.absent += other.absent
            sum.unsent += other.unsent
            return sum
        }
    }

    package struct Ledger: Hashable, Sendable {
        package var subject: Subject
        package var losses: Losses
        package init(_ subject: Subject, _ losses: Losses = Losses()) {
            self.subject = subject
            self.losses = losses
        }
    }

    /// How a call ended; numbers are the protocol's.
    package enum Outcome: Int, Sendable { case ok = 1, model, contract, timeout, unavailable, lost, cancelled, badRequest }

    /// Whose message a payload is; numbers are the protocol's.
    package enum Encoding: Int, Sendable { case hydrosphere = 1, tensorflow, openInference }

    /// A message of the servable's own protocol, as it went or came.
    package struct Payload: Hashable, Sendable {
        package var encoding: Encoding
        package var message: ArraySlice<UInt8>
        package init(_ encoding: Encoding, _ message: ArraySlice<UInt8>) {
            self.encoding = encoding
            self.message = message
        }
    }

    package struct Record: Hashable, Sendable {
        /// The place of the subject's ledger in the batch.
        package var ledger = 0
        package var requestID = ""
        package var traceID = ""
        /// Nanoseconds since 1970, UTC.
        package var answeredAt: UInt64 = 0
        package var latencyNanos: UInt64 = 0
        package var outcome = Outcome.ok
        package var message = ""
        package var request: Payload?
        package var answer: Payload?
        package var tensorsOmitted = false
        package init() {}

        /// Bytes of both payloads.
        package var payloadBytes: Int { (request?.message.count ?? 0) + (answer?.message.count ?? 0) }
    }

    package struct Batch: Hashable, Sendable {
        package var instanceID = ""
        package var sequence: UInt64 = 0
        package var ledgers: [Ledger] = []
        package var records: [Record] = []
        package init() {}
    }
}

extension TapMessages.Batch {
    /// The message. Each payload is copied once.
    package func message() -> [UInt8] {
        var writer = ProtoWriter()
        writer.bytes.reserveCapacity(records.reduce(256 * (ledgers.count + 1)) { $0 + $1.payloadBytes + 256 })
        writer.text(instanceID, field: 1)
        writer.nonzero(sequence, field: 2)
        for ledger in ledgers { writer.chunk(ledger.message(), field: 3) }
        for record in records { record.append(to: &writer, field: 4) }
        return writer.bytes
    }
}

extension TapMessages.Ledger {
    fileprivate func message() -> [UInt8] {
        var inner = ProtoWriter()
        inner.text(subject.namespace, field: 1)
        inner.text(subject.application, field: 2)
        inner.text(subject.stage, field: 3)
        inner.text(subject.servable, field: 4)
        inner.text(subject.model, field: 5)
        inner.nonzero(UInt64(bitPattern: Int64(subject.version)), field: 6)
        inner.nonzero(subject.isShadow ? 1 : 0, field: 7)
        var writer = ProtoWriter()
        writer.chunk(inner.bytes, field: 1)
        let counts = [losses.full, losses.oversize, losses.encode, losses.absent, losses.unsent]
        for (place, count) in counts.enumerated() { writer.nonzero(UInt64(max(0, count)), field: place + 2) }
        return writer.bytes
    }
}

extension TapMessages.Record {
    fileprivate func append(to writer: inout ProtoWriter, field: Int) {
        var head = ProtoWriter()
        head.nonzero(UInt64(max(0, ledger)), field: 1)
        head.text(requestID, field: 2)
        head.text(traceID, field: 3)
        head.varint(UInt64(4 << 3 | 1))
        withUnsafeBytes(of: answeredAt.littleEndian) { head.bytes.append(contentsOf: $0) }
        head.nonzero(latencyNanos, field: 5)
        head.nonzero(UInt64(outcome.rawValue), field: 6)
        head.text(message, field: 7)
        head.nonzero(tensorsOmitted ? 1 : 0, field: 10)
        let payloads = [(request, 8), (answer, 9)]
        let size = payloads.reduce(head.bytes.count) { $0 + ($1.0.map { ProtoWriter.chunkSize($0.size) } ?? 0) }
        writer.varint(UInt64(field << 3 | 2))
        writer.varint(UInt64(size))
        writer.bytes.append(contentsOf: head.bytes)
        for case (let payload?, let number) in payloads { payload.append(to: &writer, field: number) }
    }
}

extension TapMessages.Payload {
    fileprivate var size: Int { 2 + ProtoWriter.chunkSize(message.count) }

    fileprivate func append(to writer: inout ProtoWriter, field: Int) {
        writer.varint(UInt64(field << 3 | 2))
        writer.varint(UInt64(size))
        writer.nonzero(UInt64(encoding.rawValue), field: 1)
        writer.chunk(message, field: 2)
    }
}

extension ProtoWriter {
    /// Writes nothing for the field's usual value, as proto3 does.
    fileprivate mutating func nonzero(_ value: UInt64, field: Int) {
        if value != 0 { number(value, field: field) }
    }

    /// Bytes of a field below 16 with a content of so many bytes.
    fileprivate static func chunkSize(_ count: Int) -> Int { 1 + max(1, (Int.bitWidth - count.leadingZeroBitCount + 6) / 7) + count }
}
