// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging
import Synchronization
import Telemetry

/// One line for each request, or for each that failed, or for a share of them; and warnings of what an operator must act on.
///
/// *Cost*: with the log off, a comparison. A line costs what the logger costs, and one lock.
package final class RequestLog: Sendable {
    /// Which requests get a line.
    package enum Mode: Sendable, Equatable {
        case off, errors
        /// Every error, and this share of the rest: above 0, up to 1.
        case share(Double)

        /// `off`, `errors`, or a share such as `0.01`; nil for anything else.
        package init?(_ text: String) {
            switch text {
            case "off": self = .off
            case "errors": self = .errors
            default:
                guard let share = Double(text), share > 0, share <= 1 else { return nil }
                self = .share(share)
            }
        }
    }

    /// What is left to say in this second, or of this target.
    private struct Budget {
        var since: ContinuousClock.Instant?
        var said = 0
        var unsaid = 0
    }

    private struct State {
        var lines = Budget()
        var warnings: [RouteTarget: Budget] = [:]
    }

    private static let warnEvery = Duration.seconds(10)
    private static let targets = 1024
    private let mode: Mode
    private let linesPerSecond: Int
    private let dice: Dice
    private let logger: Logger
    private let state = Mutex(State())

    package init(_ mode: Mode = .off, linesPerSecond: Int = 1000, dice: Dice = Dice(), logger: Logger) {
        self.mode = mode
        self.linesPerSecond = linesPerSecond
        self.dice = dice
        self.logger = logger
    }

    var isOn: Bool { mode != .off }

    /// A request has been answered.
    func note(_ visit: Visit, code: Int, _ error: PredictionError?, took: Duration, now: ContinuousClock.Instant = .now) {
        if let error { warn(of: error, visit, now) }
        switch mode {
        case .off: return
        case .errors: if error == nil { return }
        case .share(let share): if error == nil, Double(dice.next() >> 11) * 0x1p-53 >= share { return }
        }
        let spare: Int? = state.withLock { state in
            if state.lines.since.map({ now - $0 >= .seconds(1) }) ?? true { state.lines = Budget(since: now, unsaid: state.lines.unsaid) }
            guard state.lines.said < linesPerSecond else {
                state.lines.unsaid += 1
                return nil
            }
            state.lines.said += 1
            defer { state.lines.unsaid = 0 }
            return state.lines.unsaid
        }
        guard let spare else { return }
        var facts = Self.facts(of: visit, code, error, took)
        if spare > 0 { facts["suppressed"] = "\(spare)" }
        logger.info("request", metadata: facts)
    }

    private static func facts(of visit: Visit, _ code: Int, _ error: PredictionError?, _ took: Duration) -> Logger.Metadata {
        let (seconds, attoseconds) = took.components
        var facts: Logger.Metadata = [
            "protocol": "\(visit.front.rawValue)", "code": "\(code)", "request": "\(visit.requestID ?? "")",
            "milliseconds": "\(Double(seconds) * 1e3 + Double(attoseconds / 1_000_000_000_000) / 1e3)",
        ]
        if let target = visit.target { facts["\(target.kind.rawValue)"] = "\(target.key)" }
        if let seen = visit.seen {
            facts["peer"] = "\(seen.peer)"
            facts["bytes"] = "\(seen.bytes)"
            if let trace = seen.traceID { facts["trace"] = "\(trace)" }
            let variants = visit.trail?.servables ?? []
            if !variants.isEmpty { facts["variants"] = "\(variants.joined(separator: " "))" }
        }
        if let error { facts["error"] = "\(error)" }
        return facts
    }

    /// Warns of a model that does not do its work, at most once in ten seconds for each name.
    private func warn(of error: PredictionError, _ visit: Visit, _ now: ContinuousClock.Instant) {
        switch error {
        case .brokenContract, .unavailable, .lost: break
        case .modelFailed, .deadlineExceeded:
            logger.debug("prediction failed", metadata: ["target": "\(visit.target.map { "\($0)" } ?? "")", "reason": "\(error)"])
            return
        default: return
        }
        guard let target = visit.target else { return }
        let before: Int? = state.withLock { state in
            if state.warnings.count >= Self.targets, state.warnings[target] == nil { state.warnings = [:] }
            var budget = state.warnings[target] ?? Budget()
            defer { state.warnings[target] = budget }
            guard budget.since.map({ now - $0 >= Self.warnEvery }) ?? true else {
                budget.unsaid += 1
                return nil
            }
            defer { budget = Budget(since: now) }
            return budget.unsaid
        }
        guard let before else { return }
        logger.warning(
            "prediction failed",
            metadata: [
                "target": "\(target)", "request": "\(visit.requestID ?? "")", "reason": "\(error)", "unreportedBefore": "\(before)",
            ])
    }
}

/// What is known of a request for its line in the log.
struct SeenRequest: Sendable {
    var peer: String
    var bytes: Int
    var traceID: String?
}
