// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What a setting's text says, or why it stops the start.
package enum SettingText {
    /// A whole number within the range.
    package static func number(_ name: String, _ text: String, in range: ClosedRange<Int>) throws(SettingError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw SettingError(name: name, wanted: "a number from \(range.lowerBound) to \(range.upperBound)", found: text)
        }
        return number
    }

    /// `true` or `false`.
    package static func flag(_ name: String, _ text: String) throws(SettingError) -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default: throw SettingError(name: name, wanted: "true or false", found: text)
        }
    }

    /// Names with commas or spaces between.
    package static func names(_ text: String) -> [String] { text.split { $0 == "," || $0.isWhitespace }.map(String.init) }
}

/// A setting that stops the start, by name.
package struct SettingError: Error, Equatable, CustomStringConvertible {
    package var name: String
    package var wanted: String
    package var found: String

    package init(name: String, wanted: String, found: String) {
        self.name = name
        self.wanted = wanted
        self.found = found
    }

    package var description: String { "setting \(name) wants \(wanted), got \"\(found)\"" }
}
