// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Which builds wait, run and have ended: pure bookkeeping, driven by `ImageComposer`.
///
/// A build is queued, then running, then finished or failed; `cancel` forgets it from anywhere. A build that was forgotten while it ran
/// no longer counts when it ends.
struct BuildQueue: Sendable {
    /// A build under way. The ticket tells it from a later one with the same key.
    struct Ticket: Hashable, Sendable {
        var key: String
        var number: Int
    }

    private struct Entry {
        var order: BuildOrder
        var number: Int
        var progress: BuildProgress
        var log: [String] = []
    }

    /// Lines of a log that are kept: the first and the last ones.
    static let logLimit = 200
    /// Builds that have ended and are remembered until somebody forgets them.
    static let endedLimit = 1000

    private let concurrency: Int
    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var waiting: [String] = []
    private var ended: [String] = []
    private(set) var running: Set<Ticket> = []
    private var counter = 0

    init(concurrency: Int, limit: Int) {
        self.concurrency = concurrency
        self.limit = limit
    }

    var waitingCount: Int { waiting.count }

    /// Queues a build unless its key is known. False where nothing changed.
    mutating func add(_ order: BuildOrder) -> Bool {
        guard entries[order.key] == nil else { return false }
        counter += 1
        entries[order.key] = Entry(order: order, number: counter, progress: .queued)
        guard waiting.count < limit else {
            let error = ComposerError(.interrupted, "\(limit) builds wait already")
            end(order.key, .failed(error, log: []))
            return true
        }
        waiting.append(order.key)
        return true
    }

    /// The next build to run, if one waits and there is room.
    mutating func take() -> (order: BuildOrder, ticket: Ticket)? {
        guard running.count < concurrency, let key = waiting.first, let entry = entries[key] else { return nil }
        waiting.removeFirst()
        let ticket = Ticket(key: key, number: entry.number)
        running.insert(ticket)
        entries[key]?.progress = .running([])
        return (entry.order, ticket)
    }

    /// Adds a line to a running build's log. False where it was forgotten.
    mutating func note(_ line: String, of ticket: Ticket) -> Bool {
        guard var entry = entries[ticket.key], entry.number == ticket.number else { return false }
        if entry.log.count >= BuildQueue.logLimit { entry.log.remove(at: BuildQueue.logLimit / 2) }
        entry.log.append(line)
        entry.progress = .running(entry.log)
        entries[ticket.key] = entry
        return true
    }

    /// Ends a running build. False where it was forgotten.
    mutating func finish(_ ticket: Ticket, _ result: Result<BuiltImage, ComposerError>) -> Bool {
        running.remove(ticket)
        guard let entry = entries[ticket.key], entry.number == ticket.number else { return false }
        switch result {
        case .success(var image):
            image.log = entry.log
            end(ticket.key, .finished(image))
        case .failure(let error): end(ticket.key, .failed(error, log: entry.log + ["\(error)"]))
        }
        return true
    }

    /// Forgets a build; gives its ticket where it runs and has to be stopped.
    mutating func cancel(_ key: String) -> Ticket? {
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        waiting.removeAll { $0 == key }
        ended.removeAll { $0 == key }
        let ticket = Ticket(key: key, number: entry.number)
        return running.contains(ticket) ? ticket : nil
    }

    func progress(of key: String) -> BuildProgress? { entries[key]?.progress }

    /// Whether a ticket's build is still wanted.
    func wants(_ ticket: Ticket) -> Bool { entries[ticket.key]?.number == ticket.number }

    private mutating func end(_ key: String, _ progress: BuildProgress) {
        entries[key]?.progress = progress
        ended.append(key)
        if ended.count > BuildQueue.endedLimit { entries[ended.removeFirst()] = nil }
    }
}
