// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Answers requests.
///
/// Runs on the loop that owns the caller's connection, in a task that is cancelled when the caller goes away or its
/// deadline passes. It must not block; a call to `GRPCUpstreams` from here stays on the same thread.
package protocol WireHandler: Sendable {
    func respond(to request: WireRequest) async -> WireResponse
}
