// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import JSON
package import Logging

/// One line of a log, as a value: what happened, when, and the facts around it.
package struct LogLine: Sendable {
    /// How a line is written.
    package enum Format: String, Sendable, CaseIterable {
        /// One JSON object: for machines.
        case json
        /// Time, level, message and facts in a row: for people.
        case text
    }

    package var time: LogTime
    package var level: Logger.Level
    package var label: String
    package var message: String
    package var facts: Logger.Metadata

    package init(time: LogTime, level: Logger.Level, label: String, message: String, facts: Logger.Metadata = [:]) {
        self.time = time
        self.level = level
        self.label = label
        self.message = message
        self.facts = facts
    }

    /// A string beyond this many bytes is cut: a log is no place for bodies.
    package static let longestString = 8192

    /// The line with its line feed. Facts are in order of their names, so equal lines are equal bytes.
    package func bytes(as format: Format) -> [UInt8] {
        switch format {
        case .json: json
        case .text: Array(text.utf8)
        }
    }

    private var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in [("time", "\(time)"), ("level", level.rawValue), ("logger", label), ("message", Self.cut(message))] {
            writer.key(name)
            writer.string(value)
        }
        for name in facts.keys.sorted() {
            guard let value = facts[name] else { continue }
            // A fact must not overwrite what every line has.
            writer.key(["time", "level", "logger", "message"].contains(name) ? "fact." + name : name)
            Self.write(value, to: &writer)
        }
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private static func write(_ value: Logger.MetadataValue, to writer: inout JSONWriter) {
        switch value {
        case .string(let text): writer.string(cut(text))
        case .stringConvertible(let value): writer.string(cut("\(value)"))
        case .array(let items):
            writer.beginArray()
            for item in items { write(item, to: &writer) }
            writer.endArray()
        case .dictionary(let members):
            writer.beginObject()
            for name in members.keys.sorted() {
                guard let member = members[name] else { continue }
                writer.key(name)
                write(member, to: &writer)
            }
            writer.endObject()
        }
    }

    private var text: String {
        var line = "\(time) \(level.rawValue.uppercased().padded(to: 8))\(Self.oneLine(message))"
        for name in facts.keys.sorted() {
            let value = Self.oneLine(facts[name].map { "\($0)" } ?? "")
            line += " \(name)=" + (value.contains(" ") || value.isEmpty ? "\"\(value)\"" : value)
        }
        return line + " (\(label))\n"
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > longestString else { return text }
        return String(decoding: text.utf8.prefix(longestString), as: UTF8.self) + "…"
    }

    /// No fact can begin a line of its own, or colour the terminal.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return cut(text) }
        return cut(
            text.unicodeScalars.reduce(into: "") { line, scalar in
                line += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
            })
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
