// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// What a field means, for monitoring.
package enum ProfileType: String, CaseIterable, Sendable, Hashable {
    case none
    case categorical, nominal, ordinal
    case numerical, continuous, interval, ratio
    case image, video, audio, text

    /// The number in protocol buffers; second digits refine the first.
    package var number: Int {
        switch self {
        case .none: 0
        case .categorical: 1
        case .nominal: 11
        case .ordinal: 12
        case .numerical: 2
        case .continuous: 21
        case .interval: 22
        case .ratio: 23
        case .image: 3
        case .video: 4
        case .audio: 5
        case .text: 6
        }
    }

    /// The profile by its number; `none` for a number that is not in the list.
    package init(number: Int) { self = Self.allCases.first { $0.number == number } ?? .none }
}

/// A name that is not in the list means nothing to monitoring, and is read as `none`.
extension ProfileType: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = ProfileType(rawValue: try reader.string().lowercased()) ?? .none
    }
    package func write(to writer: inout JSONWriter) { writer.string(rawValue) }
}
