// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging

/// How a program logs.
package struct LogSettings: Equatable, Sendable {
    package var level: Logger.Level
    package var format: LogLine.Format

    package init(level: Logger.Level = .info, format: LogLine.Format = .json) {
        self.level = level
        self.format = format
    }

    /// Reads `LOG_LEVEL` and `LOG_FORMAT`; without a format, a terminal gets text and anything else JSON.
    package init(environment: [String: String], isTerminal: Bool) throws(SettingError) {
        level = try Self.choice("LOG_LEVEL", in: environment, of: Logger.Level.allCases, orElse: .info)
        format = try Self.choice("LOG_FORMAT", in: environment, of: LogLine.Format.allCases, orElse: isTerminal ? .text : .json)
    }

    private static func choice<Value: RawRepresentable<String>>(
        _ name: String, in environment: [String: String], of all: [Value], orElse usual: Value
    ) throws(SettingError) -> Value {
        guard let text = environment[name], !text.isEmpty else { return usual }
        guard let value = Value(rawValue: text.lowercased()) else {
            throw SettingError(name: name, wanted: "one of " + all.map(\.rawValue).joined(separator: ", "), found: text)
        }
        return value
    }
}
