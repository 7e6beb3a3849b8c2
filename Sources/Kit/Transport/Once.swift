// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Synchronization

/// A result that one side settles and the other awaits, each once.
final class Once<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, any Error>)
        case settled(Result<Value, any Error>)
    }

    private let state = Mutex(State.open)

    /// Settles it; later results are ignored.
    func settle(_ result: Result<Value, any Error>) {
        let caller: CheckedContinuation<Value, any Error>? = state.withLock { state in
            switch state {
            case .open:
                state = .settled(result)
                return nil
            case .awaited(let caller):
                state = .settled(result)
                return caller
            case .settled: return nil
            }
        }
        caller?.resume(with: result)
    }

    /// Waits for the result. For one caller.
    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { caller in
            let known: Result<Value, any Error>? = state.withLock { state in
                switch state {
                case .open:
                    state = .awaited(caller)
                    return nil
                case .awaited: return .failure(TransportError.invalidRequest("wanted one waiting caller, found two"))
                case .settled(let result): return result
                }
            }
            if let known { caller.resume(with: known) }
        }
    }
}
