// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Answers requests.
///
/// Runs on the loop that owns the caller's connection, in a task that is cancelled when the caller goes away or its
/// deadline passes. It must not block; a call to `GRPCUpstreams` from here stays on the same thread.
package protocol WireHandler: Sendable {
    func respond(to request: WireRequest) async -> WireResponse

    /// Words what the server itself refuses: a broken request, a limit, a timeout. Plain text by default.
    ///
    /// `path` is empty where none was read. Callers of gRPC get a status with the reason instead. Runs on the loop, and must be quick.
    func refusal(status: Int, reason: String, path: String) -> WireResponse

    /// Asked when the head of a gRPC call has come: what takes the call's messages one by one, as they come. Nil, the default, has
    /// the call's body gathered for `respond`.
    func stream(for head: WireRequest) -> GRPCStreaming?
}

extension WireHandler {
    package func refusal(status: Int, reason: String, path: String) -> WireResponse { WireResponse(status: status, text: reason) }

    package func stream(for head: WireRequest) -> GRPCStreaming? { nil }
}
