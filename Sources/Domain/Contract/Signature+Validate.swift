// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

extension Signature {
    /// What is wrong with the signature itself, all at once; empty when it can be served.
    ///
    /// Its name must be one that Python takes for a function; it needs an input and an output; names are unique
    /// on each side; types are of the known list; extents are at least -1; a map has subfields, and nothing else has.
    package func problems() -> [String] {
        var problems: [String] = []
        if !Self.isIdentifier(name) {
            problems.append("the signature's name wants a letter or _, then letters, digits or _, got \"\(name)\"")
        }
        for (side, fields) in [("input", inputs), ("output", outputs)] {
            if fields.isEmpty { problems.append("the signature wants at least one \(side), got none") }
            problems += Self.problems(of: fields, called: side, path: "")
        }
        return problems
    }

    private static func problems(of fields: [Field], called side: String, path: String) -> [String] {
        var problems: [String] = []
        var seen: Set<String> = []
        for field in fields {
            let place = "\(side) \"\(path)\(field.name)\""
            if !isName(field.name) { problems.append("\(place) wants a name of 1 to 256 visible characters") }
            if !seen.insert(field.name).inserted { problems.append("\(place) is declared twice") }
            problems += self.problems(of: field).map { "\(place) \($0)" }
            problems += self.problems(of: field.subfields, called: side, path: "\(path)\(field.name).")
        }
        return problems
    }

    private static func problems(of field: Field) -> [String] {
        var problems: [String] = []
        if field.dtype == .invalid {
            let known = DataType.known.map(\.rawValue).joined(separator: ", ")
            problems.append("wants a dtype of \(known), got another")
        }
        if let shape = field.shape, let dim = shape.dims.first(where: { $0 < Shape.anyExtent }) {
            problems.append("wants extents of -1 or more, got \(dim)")
        }
        if field.dtype == .map, field.subfields.isEmpty { problems.append("is a map and wants subfields, got none") }
        if field.dtype != .map, !field.subfields.isEmpty {
            problems.append("has subfields and wants dtype map, got \(field.dtype.rawValue)")
        }
        return problems
    }

    private static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 256 else { return false }
        let isDigit: (UInt8) -> Bool = { $0 >= 0x30 && $0 <= 0x39 }
        let isLetter: (UInt8) -> Bool = { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || $0 == 0x5f }
        return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }

    private static func isName(_ name: String) -> Bool {
        (1...256).contains(name.utf8.count) && name.unicodeScalars.contains { !$0.properties.isWhitespace }
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
    }
}
