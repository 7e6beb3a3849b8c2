// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Protos
import Synchronization

/// Takes what was asked and answered, for whoever listens at a socket; with nobody there, nothing is kept.
///
/// A bounded buffer by records and by bytes. `offer` never waits: what finds no room is dropped, the newest first, and counted. For
/// every subject, calls offered = received + dropped + in flight, at any moment that nobody offers.
package final class Tap: Sendable {
    /// What may be held.
    package struct Settings: Sendable, Equatable {
        package var records = 8192
        /// Bytes of tensors in the buffer and under way.
        package var bytes = 64 << 20
        /// Bytes of one record's tensors; a larger one is told without them.
        package var recordBytes = 8 << 20
        package var batchRecords = 256
        package var batchBytes = 4 << 20
        /// How long records wait for others to go with.
        package var pause: Duration = .milliseconds(50)
        /// How long the listener may take over a batch.
        package var patience: Duration = .seconds(5)
        /// How often a quiet tap says that it lives.
        package var heartbeat: Duration = .seconds(5)

        package init() {}
    }

    let settings: Settings
    private let ring: TapRing
    private let heldBytes = Atomic<Int>(0)
    private let listening = Atomic<Bool>(false)
    private let fresh = Mutex<[TapSubject]>([])

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
        ring = TapRing(capacity: settings.records)
    }

    /// Whether somebody takes records.
    package var isConnected: Bool { listening.load(ordering: .relaxed) }

    /// Records in the buffer; those under way are the drain's.
    package var waiting: Int { ring.count }

    /// Records that have left the buffer, by whatever way.
    var taken: Int { ring.taken }

    /// Bytes of tensors in the buffer and under way.
    package var bytes: Int { heldBytes.load(ordering: .relaxed) }

    /// A call of the subject has ended; the record is made only if somebody listens.
    ///
    /// *Cost*: with nobody there, two relaxed loads and a count. Else one allocation, a shared count of bytes, and a compare-exchange.
    package func offer(_ subject: TapSubject, _ message: () -> TapMessages.Record) {
        if subject.isNew() { fresh.withLock { $0.append(subject) } }
        guard isConnected else { return subject.count(.absent) }
        var record = TapRecord(subject, message())
        if record.bytes > settings.recordBytes {
            subject.count(.oversize)
            record = record.withoutTensors
        }
        let size = record.bytes
        // Added before it is asked, so that two loops cannot both take the last room.
        guard heldBytes.wrappingAdd(size, ordering: .relaxed).newValue <= settings.bytes, ring.push(record) else {
            heldBytes.wrappingSubtract(size, ordering: .relaxed)
            return subject.count(.full)
        }
    }

    // What the drain does; by one task.

    /// The oldest record. Its bytes stay counted until `release`.
    func take() -> TapRecord? { ring.pop() }

    func release(_ records: some Sequence<TapRecord>) {
        heldBytes.wrappingSubtract(records.reduce(0) { $0 + $1.bytes }, ordering: .relaxed)
    }

    func connected(_ isThere: Bool) { listening.store(isThere, ordering: .relaxed) }

    /// The subjects that have not been told of yet.
    func freshSubjects() -> [TapSubject] {
        fresh.withLock { subjects in
            defer { subjects = [] }
            return subjects
        }
    }
}
