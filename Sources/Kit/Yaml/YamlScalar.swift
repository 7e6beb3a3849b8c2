// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

internal import JSON

/// A scalar as written, and the rules that give it a JSON value: those of sigs.k8s.io/yaml, so that
/// a text means here what it means to kubectl.
struct YamlScalar: Equatable {
    var text: String
    var isPlain: Bool
    var tag: String?

    /// Nothing at all was written: an empty document, or a key without a value.
    var isNothing: Bool { isPlain && text.isEmpty && tag == nil }

    /// The value, or the reason in words why there is none.
    func resolved() -> Result<JSONValue, Refusal> {
        switch tag.map(Self.shortened) {
        case nil: isPlain ? Self.plain(text) : .success(.string(text))
        case "!", "!!str", "!!timestamp": .success(.string(text))
        case "!!null": wanted("null") { if case .null = $0 { $0 } else { nil } }
        case "!!bool": wanted("a boolean") { if case .bool = $0 { $0 } else { nil } }
        case "!!int": wanted("an integer") { if case .int = $0 { $0 } else { nil } }
        case "!!float": wanted("a number") { $0.double.map(JSONValue.double) }
        case .some(let other): .failure(Refusal("the tag \(other) has no JSON value"))
        }
    }

    struct Refusal: Error, Equatable {
        var message: String
        init(_ message: String) { self.message = message }
    }

    private func wanted(_ what: String, _ accept: (JSONValue) -> JSONValue?) -> Result<JSONValue, Refusal> {
        Self.plain(text).flatMap { value in
            accept(value).map { .success($0) } ?? .failure(Refusal("wanted \(what), found \"\(text)\""))
        }
    }

    private static func shortened(_ tag: String) -> String {
        let prefix = "tag:yaml.org,2002:"
        return tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
    }

    /// What a scalar without quotes means.
    static func plain(_ text: String) -> Result<JSONValue, Refusal> {
        switch text {
        case "", "~", "null", "Null", "NULL": return .success(.null)
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return .success(.bool(true))
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": return .success(.bool(false))
        case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
            return .failure(Refusal("wanted a finite number, found \(text)"))
        default: return .success(number(text) ?? .string(text))
        }
    }

    private static func number(_ text: String) -> JSONValue? {
        guard let first = text.utf8.first,
            first == UInt8(ascii: ".") || first == UInt8(ascii: "+") || first == UInt8(ascii: "-") || isDigit(first)
        else { return nil }
        // A number may be grouped with underscores; one that begins with a point may not.
        let digits = first == UInt8(ascii: ".") ? text : text.without("_")
        if let whole = integer(digits) { return whole }
        // Beyond the range of a double it stays text, as with kubectl.
        guard isFloat(Array(digits.utf8)), let double = Double(digits), double.isFinite else { return nil }
        return .double(double)
    }

    /// Decimal, `0x`, `0o`, `0b`, and a leading 0 for octal (file modes). Beyond 64 bits it is a double.
    private static func integer(_ text: String) -> JSONValue? {
        var digits = Substring(text)
        var sign = ""
        if let first = digits.first, first == "-" || first == "+" {
            sign = first == "-" ? "-" : ""
            digits = digits.dropFirst()
        }
        let radix: Int
        switch digits.prefix(2).lowercased() {
        case "0x": (radix, digits) = (16, digits.dropFirst(2))
        case "0o": (radix, digits) = (8, digits.dropFirst(2))
        case "0b": (radix, digits) = (2, digits.dropFirst(2))
        default: radix = digits.count > 1 && digits.first == "0" ? 8 : 10
        }
        guard digits.first?.isHexDigit == true else { return nil }
        if let number = Int64(sign + digits, radix: radix) { return .int(number) }
        guard radix == 10, digits.utf8.allSatisfy(isDigit), let double = Double(sign + digits), double.isFinite else { return nil }
        return .double(double)
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func isFloat(_ text: [UInt8]) -> Bool {
        var rest = text[...]
        func skipDigits() -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        func skip(_ any: String) -> Bool {
            guard let byte = rest.first, any.utf8.contains(byte) else { return false }
            rest = rest.dropFirst()
            return true
        }
        _ = skip("+-")
        let whole = skipDigits()
        let fraction = skip(".") ? skipDigits() : 0
        guard whole + fraction > 0 else { return false }
        if skip("eE") {
            _ = skip("+-")
            guard skipDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}

extension String {
    fileprivate func without(_ unwanted: Character) -> String { filter { $0 != unwanted } }
}
