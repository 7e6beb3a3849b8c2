// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What a pax extended header says about the entry after it: only the keys that change what is read.
struct PaxRecords {
    var path: String?
    var linkPath: String?
    var size: UInt64?

    /// Reads records of the form `length key=value\n`, over what is there already.
    mutating func read(_ bytes: [UInt8]) throws(ArchiveError) {
        var rest = bytes[...]
        // Some writers pad the last record with zeros.
        while let first = rest.first, first != 0 {
            let record = try PaxRecords.take(from: &rest)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw .corrupt("pax record without \"=\"")
            }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            try set(key, to: record[(equals + 1)...])
        }
    }

    /// The body of the next record: what is between the length and the line's end.
    private static func take(from rest: inout ArraySlice<UInt8>) throws(ArchiveError) -> ArraySlice<UInt8> {
        var length = 0
        var cursor = rest.startIndex
        while cursor < rest.endIndex, case UInt8(ascii: "0")...UInt8(ascii: "9") = rest[cursor], length < 1 << 30 {
            length = length * 10 + Int(rest[cursor] - UInt8(ascii: "0"))
            cursor += 1
        }
        let end = rest.startIndex + length
        guard cursor > rest.startIndex, cursor < rest.endIndex, rest[cursor] == UInt8(ascii: " "),
            end <= rest.endIndex, end > cursor + 1, rest[end - 1] == UInt8(ascii: "\n")
        else {
            throw .corrupt("pax record: its length does not lead to a line's end")
        }
        let body = rest[(cursor + 1)..<(end - 1)]
        rest = rest[end...]
        return body
    }

    private mutating func set(_ key: String, to value: ArraySlice<UInt8>) throws(ArchiveError) {
        switch key {
        case "path": path = try PaxRecords.text(value, of: key)
        case "linkpath": linkPath = try PaxRecords.text(value, of: key)
        case "size":
            guard let number = UInt64(String(decoding: value, as: UTF8.self)), number < 1 << 63 else {
                throw .corrupt("pax size is not a number below 2^63")
            }
            size = number
        case _ where key.hasPrefix("GNU.sparse."): throw .unsupported("sparse files in tar")
        default: return
        }
    }

    private static func text(_ value: ArraySlice<UInt8>, of key: String) throws(ArchiveError) -> String {
        guard !value.contains(0), let text = String(validating: value, as: UTF8.self) else {
            throw .unsupported("pax \(key) that is not UTF-8 text")
        }
        return text
    }
}
