// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import Synchronization

/// Whether a program lives and whether it may be sent work, asked when somebody asks.
package final class Health: Sendable {
    /// What an answer decides.
    package enum Question: Sendable {
        /// Should the program be restarted?
        case live
        /// May the program be sent work?
        case ready
    }

    /// One named reason to say no.
    package struct Check: Sendable {
        package var name: String
        package var question: Question
        package var state: @Sendable () -> State

        /// `state` is called on every probe: it must be quick and never wait.
        package init(_ name: String, _ question: Question, state: @escaping @Sendable () -> State) {
            self.name = name
            self.question = question
            self.state = state
        }
    }

    /// What a check found.
    package enum State: Equatable, Sendable {
        case passing
        case failing(String)
    }

    private let checks: [Check]
    private let draining = Atomic(false)

    package init(_ checks: [Check]) { self.checks = checks }

    /// From now on the program is not ready: the first step of every shutdown.
    package func drain() { draining.store(true, ordering: .releasing) }

    /// Asks every check that bears on the question.
    package func report(_ question: Question) -> HealthReport {
        var findings = checks.filter { $0.question == question }.map { HealthReport.Finding(name: $0.name, state: $0.state()) }
        if question == .ready, draining.load(ordering: .acquiring) {
            findings.append(.init(name: "drain", state: .failing("shutting down")))
        }
        return HealthReport(findings: findings)
    }
}

/// The findings of all checks, as one value.
package struct HealthReport: Equatable, Sendable {
    package struct Finding: Equatable, Sendable {
        package var name: String
        package var state: Health.State

        package init(name: String, state: Health.State) {
            self.name = name
            self.state = state
        }
    }

    package var findings: [Finding]

    package init(findings: [Finding]) { self.findings = findings }

    package var isPassing: Bool { findings.allSatisfy { $0.state == .passing } }

    /// One line for each finding and one for the whole, as Kubernetes' own servers answer.
    package var text: String {
        let lines = findings.map { finding in
            switch finding.state {
            case .passing: "[+] \(finding.name): ok"
            case .failing(let why): "[-] \(finding.name): \(why)"
            }
        }
        return (lines + [isPassing ? "ok" : "failing"]).joined(separator: "\n") + "\n"
    }
}
