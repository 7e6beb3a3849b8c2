// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// An answer whose head has arrived; its body may still be on the way.
package struct TransportResponse: Sendable {
    package let status: Int
    package let headers: [Header]
    package let body: ResponseBody

    /// The first header of that name, whatever its case.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }

    /// The whole body; an error, and the end of the transfer, when it is longer than `limit`.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        var whole: [UInt8] = []
        for try await chunk in body {
            guard whole.count + chunk.count <= limit else {
                body.cancel()
                throw TransportError.tooLarge(limit: limit)
            }
            whole += chunk
        }
        return whole
    }
}

/// The bytes of an answer as they come, for one reader.
///
/// A reader that is slow slows the peer: at most 256 KiB wait in our own buffer. Ends with the transfer and throws
/// its error: a body that was cut is never taken for a whole one. When the last copy is let go, an unfinished
/// transfer ends.
package struct ResponseBody: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = any Error

    private let lease: Lease

    init(of transfer: Transfer) { lease = Lease(transfer) }

    /// Ends the transfer now.
    package func cancel() { lease.transfer.cancel() }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(lease: lease) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let lease: Lease

        package mutating func next() async throws -> [UInt8]? {
            let transfer = lease.transfer
            return try await withTaskCancellationHandler {
                try await transfer.inflow.next()
            } onCancel: {
                transfer.cancel()
            }
        }
    }

    /// Ends the transfer when nobody can read it any more.
    fileprivate final class Lease: Sendable {
        let transfer: Transfer
        init(_ transfer: Transfer) { self.transfer = transfer }
        deinit { transfer.cancel() }
    }
}
