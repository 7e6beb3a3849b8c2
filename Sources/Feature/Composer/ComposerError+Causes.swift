// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive
import OCI
import Transport

// What went wrong below, as a reason of the closed list.

extension ComposerError {
    /// An archive or spool that failed.
    init(_ error: ArchiveError) {
        switch error {
        case .truncated, .corrupt, .unsupported: self.init(.sourceInvalid, "\(error)")
        case .tooLarge: self.init(.sourceTooLarge, "\(error)")
        case .spool: self.init(.interrupted, "\(error)")
        }
    }

    /// A registry that failed while `side` was read from it or written to it.
    init(_ error: RegistryError, on side: Side) {
        let reason: Reason =
            switch error {
            case .refused(let refusal) where error.canHeal || refusal.code == .tooManyRequests: side.unreachable
            // Something was cleared away under our hands; the next build brings it again.
            case .refused(let refusal) where side == .target && Self.isLost(refusal.code): side.unreachable
            case .refused(let refusal) where refusal.status == 404: side.notFound
            case .refused(let refusal) where refusal.status == 400 && side != .target: side.notFound
            case .refused: side.denied
            case .unreachable, .invalidAnswer, .digestMismatch: side.unreachable
            case .noPlatform: side.notFound
            case .tooLarge: side == .source ? .sourceTooLarge : side.notFound
            case .contentFailed, .cancelled: .interrupted
            }
        self.init(reason, "\(error)")
    }

    private static func isLost(_ code: RegistryErrorCode) -> Bool {
        [.blobUnknown, .blobUploadUnknown, .manifestBlobUnknown].contains(code)
    }

    /// What a registry is to a build.
    enum Side {
        case runtime, source, target

        var notFound: Reason {
            switch self {
            case .runtime: .runtimeNotFound
            case .source: .sourceNotFound
            case .target: .registryDenied
            }
        }
        var denied: Reason { self == .source ? .sourceDenied : .registryDenied }
        var unreachable: Reason { self == .source ? .sourceUnreachable : .registryUnreachable }
    }

    /// A web server that failed.
    init(_ error: TransportError) {
        switch error {
        case .invalidRequest, .redirectRefused: self.init(.sourceInvalid, "\(error)")
        case .tooLarge: self.init(.sourceTooLarge, "\(error)")
        case .cancelled, .shutDown: self.init(.interrupted, "\(error)")
        case .connectFailed, .tlsFailed, .timedOut, .cut, .failed: self.init(.sourceUnreachable, "\(error)")
        }
    }

    /// Anything, seen from a build.
    init(any error: any Error, on side: Side) {
        switch error {
        case let error as ComposerError: self = error
        case let error as ArchiveError: self.init(error)
        case let error as RegistryError: self.init(error, on: side)
        case let error as TransportError: self.init(error)
        case let error as ReferenceError: self.init(side == .source ? .sourceInvalid : side.notFound, error.message)
        case is CancellationError: self.init(.interrupted, "cancelled")
        default: self.init(.interrupted, "\(error)")
        }
    }
}
