// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import KubeCore

/// One thing that happened, as it was told to the recorder.
struct EventNote: Hashable, Sendable {
    var involved: ObjectRef
    var isWarning: Bool
    var reason: String
    var message: String
}

/// Remembers which events were written, so that what happens again is counted and not written anew, and so that one
/// object cannot flood the cluster.
struct EventLedger: Sendable {
    enum Step: Equatable {
        case create(Event)
        /// The event by that key happened once more.
        case recount(ObjectKey, count: Int, last: Timestamp)
        /// The object had its share.
        case drop
    }

    private struct Written { var key: ObjectKey, count: Int, at: Duration }
    /// How many events an object may still have.
    private struct Share { var left: Double, at: Duration }

    private let component: String
    private let instance: String
    private let capacity: Int
    private var written: [EventNote: Written] = [:]
    private var shares: [ObjectRef: Share] = [:]
    private var serial = 0

    /// As many events in a row, then one in five minutes.
    static var burst: Double { 25 }
    static var refill: Duration { .seconds(300) }
    /// The server forgets an event after an hour.
    static var memory: Duration { .seconds(3000) }

    init(component: String, instance: String, capacity: Int = 4096) {
        self.component = component
        self.instance = instance
        self.capacity = capacity
    }

    mutating func step(for note: EventNote, now: Duration, wall: Timestamp) -> Step {
        guard takeShare(of: note.involved, now: now) else { return .drop }
        if var known = written[note], now - known.at < Self.memory {
            known.count += 1
            known.at = now
            written[note] = known
            return .recount(known.key, count: known.count, last: wall.wholeSeconds)
        }
        let event = event(for: note, wall: wall)
        makeRoom()
        written[note] = Written(key: event.key, count: 1, at: now)
        return .create(event)
    }

    /// How many events are known.
    var remembered: Int { written.count }

    /// The event is not there: the next time it is written anew.
    mutating func forget(_ note: EventNote) { written[note] = nil }

    private mutating func event(for note: EventNote, wall: Timestamp) -> Event {
        serial += 1
        var event = Event()
        let namespace = note.involved.key.namespace
        let name = "\(note.involved.key.name.prefix(200)).\(String(wall.microseconds, radix: 16))\(String(serial % 4096, radix: 16))"
        // What belongs to the cluster has its events in the default namespace.
        event.metadata = ObjectMeta(ObjectKey(namespace.isEmpty ? "default" : namespace, name))
        event.involvedObject = Event.Involved(note.involved)
        event.type = note.isWarning ? "Warning" : "Normal"
        event.reason = note.reason
        // The server refuses longer messages.
        event.message = String(decoding: note.message.utf8.prefix(1000), as: UTF8.self)
        event.firstTimestamp = wall.wholeSeconds
        event.lastTimestamp = wall.wholeSeconds
        event.source.component = component
        event.reportingComponent = component
        event.reportingInstance = instance
        return event
    }

    private mutating func takeShare(of object: ObjectRef, now: Duration) -> Bool {
        var share = shares[object] ?? Share(left: Self.burst, at: now)
        share.left = min(Self.burst, share.left + (now - share.at) / Self.refill)
        share.at = now
        defer {
            if shares.count >= capacity, shares[object] == nil { shares = [:] }
            shares[object] = share
        }
        guard share.left >= 1 else { return false }
        share.left -= 1
        return true
    }

    /// Forgets the older half when full.
    private mutating func makeRoom() {
        guard written.count >= capacity else { return }
        let median = written.values.map(\.at).sorted()[written.count / 2]
        written = written.filter { $0.value.at > median }
    }
}
