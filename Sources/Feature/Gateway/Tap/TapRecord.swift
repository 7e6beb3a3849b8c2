// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Protos

/// One call of one variant, as the tap keeps it: references to what went over the wire anyway, nothing encoded yet.
package final class TapRecord: Sendable {
    package let subject: TapSubject
    let message: TapMessages.Record

    /// - Parameter message: everything but the ledger's place. What its payloads keep alive must be what they show: a small slice of a
    ///   large buffer would hold memory that nobody counts.
    package init(_ subject: TapSubject, _ message: TapMessages.Record) {
        self.subject = subject
        self.message = message
    }

    /// Bytes that count against the buffer.
    var bytes: Int { message.payloadBytes }

    /// The same without its tensors.
    var withoutTensors: TapRecord {
        var message = message
        message.request = nil
        message.answer = nil
        message.tensorsOmitted = true
        return TapRecord(subject, message)
    }
}
