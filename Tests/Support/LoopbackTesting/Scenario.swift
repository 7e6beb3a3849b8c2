// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// A play for a scripted server: the requests to come, each with its answer. Anything else fails.
package final class Scenario: Sendable {
    /// One expected request and what it is answered.
    package struct Step: Sendable {
        package var method: String
        package var target: String
        /// Says what is wrong with the request, or nil.
        package var check: @Sendable (LoopbackRequest) -> String?
        package var answer: LoopbackAnswer

        package init(
            _ method: String, _ target: String, check: @escaping @Sendable (LoopbackRequest) -> String? = { _ in nil },
            _ answer: LoopbackAnswer
        ) {
            self.method = method
            self.target = target
            self.check = check
            self.answer = answer
        }

        func fits(_ request: LoopbackRequest) -> Bool { request.method == method && request.target == target }
    }

    private struct State {
        var left: [Step]
        var problems: [String] = []
    }

    private let state: Mutex<State>
    private let ordered: Bool

    /// A step without a query in its target still wants the whole target as written.
    package init(ordered: Bool = true, _ steps: [Step]) {
        state = Mutex(State(left: steps))
        self.ordered = ordered
    }

    /// Plays the step that the request fits; an unexpected request is answered 500 and kept as a problem.
    package func answer(_ request: LoopbackRequest) -> LoopbackAnswer {
        state.withLock { state in
            let index = ordered ? state.left.indices.first : state.left.firstIndex { $0.fits(request) }
            guard let index, state.left[index].fits(request) else {
                let wanted = state.left.first.map { "\($0.method) \($0.target)" } ?? "no further request"
                state.problems.append("wanted \(wanted), found \(request.method) \(request.target)")
                return LoopbackAnswer(500, "unexpected request")
            }
            let step = state.left.remove(at: index)
            if let problem = step.check(request) { state.problems.append("\(step.method) \(step.target): \(problem)") }
            return step.answer
        }
    }

    /// Throws what went wrong: unexpected requests, failed checks, and requests that never came.
    package func finish() throws {
        let problems = state.withLock { state in
            state.problems + state.left.map { "wanted \($0.method) \($0.target), which never came" }
        }
        guard problems.isEmpty else { throw LoopbackError(problems.joined(separator: "\n")) }
    }
}
