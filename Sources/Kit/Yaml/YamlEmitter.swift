// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Writes JSON values as YAML in block style, members sorted by key: the same value gives the same text.
///
/// What it writes, `YamlParser` and kubectl read back as the same value.
package enum YamlEmitter {
    /// One document, with a line feed at its end and without a marker at its start.
    package static func text(_ value: JSONValue) -> String {
        var out = ""
        if let inline = inline(value) {
            out = inline + "\n"
        } else if case .string(let text) = value {
            writeBlock(text, indent: 2, to: &out)
        } else {
            write(value, indent: 0, to: &out)
        }
        return out
    }

    /// A stream of documents, `---` between them.
    package static func text(documents: [JSONValue]) -> String {
        documents.map { text($0) }.joined(separator: "---\n")
    }

    /// A sequence or mapping that is not empty, each entry on its own line; the cursor stands where the first one begins.
    private static func write(_ value: JSONValue, indent: Int, to out: inout String) {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .array(let items):
            for (index, item) in items.enumerated() {
                out += (index == 0 ? "" : margin) + "-"
                write(entry: item, nested: indent + 2, sameLine: true, to: &out)
            }
        case .object(let members):
            for (index, key) in members.keys.sorted().enumerated() {
                // YAML ends an ordinary key after 1024 characters.
                let name = scalar(key)
                out += (index == 0 ? "" : margin) + (name.utf8.count < 1000 ? name + ":" : "? " + name + "\n" + margin + ":")
                // A sequence in a mapping stands at its key's column, as kubectl prints it.
                let value = members[key] ?? .null
                write(entry: value, nested: value.array == nil ? indent + 2 : indent, sameLine: false, to: &out)
            }
        case .null, .bool, .int, .double, .string: break
        }
    }

    private static func write(entry: JSONValue, nested: Int, sameLine: Bool, to out: inout String) {
        if let inline = inline(entry) {
            out += " " + inline + "\n"
        } else if case .string(let text) = entry {
            out += " "
            writeBlock(text, indent: nested, to: &out)
        } else if sameLine {
            out += " "
            write(entry, indent: nested, to: &out)
        } else {
            out += "\n" + String(repeating: " ", count: nested)
            write(entry, indent: nested, to: &out)
        }
    }

    /// What fits on one line.
    private static func inline(_ value: JSONValue) -> String? {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .double(let number): number.isFinite ? "\(number)" : "null"  // JSON has no word for it either
        case .string(let text): isBlock(text) ? nil : scalar(text)
        case .array(let items): items.isEmpty ? "[]" : nil
        case .object(let members): members.isEmpty ? "{}" : nil
        }
    }

    // Strings

    private static func scalar(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    /// Whether text may stand without quotes: narrower than YAML allows, so that no reader takes it for something else.
    private static func isPlain(_ text: String) -> Bool {
        guard case .success(.string) = YamlScalar.plain(text), text.utf8.count <= 256 else { return false }
        guard text != "<<", text != "=", let first = text.utf8.first, let last = text.utf8.last else { return false }
        guard isWord(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "<"), last != UInt8(ascii: " ") else { return false }
        // Dates and base-60 numbers are strings to us and something else to other readers.
        guard !isDigit(first) || text.utf8.contains(where: { isLetter($0) }) else { return false }
        guard text.utf8.allSatisfy({ isWord($0) || " ./@+-=(),;<>~*&!%?$^".utf8.contains($0) || $0 == UInt8(ascii: ":") }) else {
            return false
        }
        guard !text.utf8.contains(UInt8(ascii: ":")) else {
            // A colon only inside a word, as in URLs and image references.
            return last != UInt8(ascii: ":") && !text.utf8.contains(UInt8(ascii: " ")) && !isDigit(first)
        }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }
    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private static func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_") }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case _ where isPrintable(scalar): out.unicodeScalars.append(scalar)
            default: out += escape(scalar)
            }
        }
        return out + "\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let width = scalar.value <= 0xFF ? 2 : (scalar.value <= 0xFFFF ? 4 : 8)
        let letter = width == 2 ? "x" : (width == 4 ? "u" : "U")
        return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x1_0000...0x10_FFFF: true
        default: false
        }
    }

    /// Whether text reads best as lines: several, each printable, the first one not indented or empty.
    private static func isBlock(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first != "\n", first != " ", first != "\t" else { return false }
        let scalars = text.unicodeScalars
        return scalars.contains("\n") && scalars.allSatisfy { $0 == "\n" || $0 == "\t" || isPrintable($0) }
    }

    private static func writeBlock(_ text: String, indent: Int, to out: inout String) {
        let margin = String(repeating: " ", count: indent)
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        let trailing = lines.reversed().prefix { $0.isEmpty }.count
        out += trailing == 0 ? "|-\n" : (trailing == 1 ? "|\n" : "|+\n")
        if trailing > 0 { lines.removeLast() }
        for line in lines {
            out += line.isEmpty ? "\n" : margin + String(String.UnicodeScalarView(line)) + "\n"
        }
    }
}
