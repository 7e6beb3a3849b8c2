// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Why bytes could not be read as the archive that they should be.
package enum ArchiveError: Error, Equatable {
    /// The input ends before the archive does.
    case truncated(String)
    /// The bytes contradict the format, or a checksum.
    case corrupt(String)
    /// Well-formed, but of a kind that is not read here.
    case unsupported(String)
    /// A part is larger than this reader takes.
    case tooLarge(String)
    /// The spool file could not be made, written or read.
    case spool(String)
}

extension ArchiveError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated(let what): "cut short: \(what)"
        case .corrupt(let what): "corrupt: \(what)"
        case .unsupported(let what): "not supported: \(what)"
        case .tooLarge(let what): "too large: \(what)"
        case .spool(let what): "spool file: \(what)"
        }
    }
}
