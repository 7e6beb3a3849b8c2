// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A writer of tar that gives the same bytes for the same entries, everywhere and always:
/// no times, no owners, ustar where it suffices and pax where a name or a size needs it.
///
/// Each step appends to an output of the caller's. Content must be exactly as long as its entry said.
package struct TarWriter {
    private var left: UInt64 = 0
    private var padding = 0

    package init() {}

    /// Begins an entry. Its content, if it has any, must follow.
    package mutating func begin(_ entry: TarEntry, into output: inout [UInt8]) {
        precondition(left == 0, "\(left) bytes of content are missing before \"\(entry.path)\"")
        let target = TarWriter.target(of: entry.kind)
        let place = TarWriter.place(entry.path)
        var records: [(key: String, value: String)] = []
        if place == nil { records.append(("path", entry.path)) }
        if !TarWriter.fits(target, TarField.linkName) { records.append(("linkpath", target)) }
        if entry.size > 0o777_7777_7777 { records.append(("size", String(entry.size))) }
        if !records.isEmpty { writeRecords(records, into: &output) }
        let fallback = (prefix: "", name: TarWriter.cut(entry.path))
        output += TarWriter.header(
            place ?? fallback, type: TarWriter.type(of: entry.kind), target: TarWriter.cut(target), size: entry.size, mode: entry.mode)
        left = entry.size
        padding = TarReader.padding(after: entry.size)
    }

    /// Appends content of the entry that was begun last, and the padding after its end.
    package mutating func append(_ bytes: [UInt8], into output: inout [UInt8]) {
        precondition(UInt64(bytes.count) <= left, "\(bytes.count) bytes of content where \(left) are wanted")
        output += bytes
        left -= UInt64(bytes.count)
        if left == 0 {
            output += repeatElement(0, count: padding)
            padding = 0
        }
    }

    /// Writes the archive's end mark.
    package func finish(into output: inout [UInt8]) {
        precondition(left == 0, "\(left) bytes of content are missing at the end")
        output += repeatElement(0, count: 2 * TarField.blockSize)
    }

    private mutating func writeRecords(_ records: [(key: String, value: String)], into output: inout [UInt8]) {
        var text: [UInt8] = []
        for record in records { text += TarWriter.record(record.key, record.value) }
        let size = UInt64(text.count)
        output += TarWriter.header(("", "././@PaxHeader"), type: "x", target: "", size: size, mode: 0o644)
        output += text
        output += repeatElement(0, count: TarReader.padding(after: size))
    }

    /// A pax record: its length counts its own digits.
    static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n".utf8
        var length = rest.count + String(rest.count).utf8.count
        if String(length).utf8.count + rest.count != length { length += 1 }
        return Array(String(length).utf8) + Array(rest)
    }

    private static func header(
        _ place: (prefix: String, name: String), type: Character, target: String, size: UInt64, mode: UInt32
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: TarField.blockSize)
        put(place.name, at: TarField.name, in: &block)
        putOctal(UInt64(mode & 0o7777), at: TarField.mode, in: &block)
        putOctal(0, at: TarField.uid, in: &block)
        putOctal(0, at: TarField.gid, in: &block)
        putOctal(size > 0o777_7777_7777 ? 0 : size, at: TarField.size, in: &block)
        putOctal(0, at: TarField.mtime, in: &block)
        block[TarField.type] = type.asciiValue ?? UInt8(ascii: "0")
        put(target, at: TarField.linkName, in: &block)
        put("ustar\0", at: TarField.magic, in: &block)
        put("00", at: TarField.version, in: &block)
        putOctal(0, at: TarField.deviceMajor, in: &block)
        putOctal(0, at: TarField.deviceMinor, in: &block)
        put(place.prefix, at: TarField.prefix, in: &block)
        let sum = octal(UInt64(TarField.sum(of: block)), digits: 6)
        put(sum + "\0 ", at: TarField.checksum, in: &block)
        return block
    }

    /// Where a path goes in a ustar header; nil where only pax can hold it.
    private static func place(_ path: String) -> (prefix: String, name: String)? {
        if fits(path, TarField.name) { return ("", path) }
        guard path.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        let bytes = Array(path.utf8)
        // The last slash that leaves a name of at most 100 bytes and a prefix of at most 155; a final slash is the name's.
        for index in bytes.indices.dropLast().reversed() where bytes[index] == UInt8(ascii: "/") {
            guard bytes.count - index - 1 <= TarField.name.count else { break }
            if index > 0, index <= TarField.prefix.count {
                return (
                    String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 1)...], as: UTF8.self)
                )
            }
        }
        return nil
    }

    private static func fits(_ text: String, _ field: Range<Int>) -> Bool {
        text.utf8.count <= field.count && text.utf8.allSatisfy { $0 < 0x80 }
    }

    /// What an old reader sees of a name that pax holds whole.
    private static func cut(_ text: String) -> String {
        String(decoding: text.utf8.filter { $0 < 0x80 }.prefix(100), as: UTF8.self)
    }

    private static func put(_ text: String, at field: Range<Int>, in block: inout [UInt8]) {
        for (index, byte) in zip(field, text.utf8) { block[index] = byte }
    }

    private static func putOctal(_ value: UInt64, at field: Range<Int>, in block: inout [UInt8]) {
        put(octal(value, digits: field.count - 1), at: field, in: &block)
    }

    private static func octal(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func target(of kind: TarEntry.Kind) -> String {
        switch kind {
        case .symlink(let target), .hardlink(let target): target
        default: ""
        }
    }

    private static func type(of kind: TarEntry.Kind) -> Character {
        switch kind {
        case .file: "0"
        case .hardlink: "1"
        case .symlink: "2"
        case .characterDevice: "3"
        case .blockDevice: "4"
        case .directory: "5"
        case .fifo: "6"
        case .other(let letter): letter
        }
    }
}
