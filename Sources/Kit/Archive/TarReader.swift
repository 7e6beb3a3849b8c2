// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A streaming reader of tar: ustar, GNU long names, pax.
///
/// 1. `feed` a piece of input.
/// 2. Take `next` until it is nil. An entry comes before its content; content comes as it arrives.
/// 3. After the last piece, `finish` says whether the archive was whole.
///
/// What follows the archive's end mark is padding and not looked at.
package struct TarReader {
    /// What a reader finds on its way.
    package enum Event: Equatable, Sendable {
        case entry(TarEntry)
        case content([UInt8])
    }

    private enum Phase {
        case header
        case content(left: UInt64, padding: Int)
        /// The text of a GNU long name or a pax header, gathered for the entry that follows.
        case note(type: UInt8, left: Int, padding: Int)
        case padding(Int)
        case ended
    }

    /// Names and pax headers longer than this are refused.
    package static let longestNote = 1 << 20

    private var phase = Phase.header
    private var input: [UInt8] = []
    private var position = 0
    private var block: [UInt8] = []
    private var note: [UInt8] = []
    private var longName: String?
    private var longLink: String?
    private var global = PaxRecords()
    private var local = PaxRecords()
    private var lastPath = ""

    package init() {}

    /// Hands over the next bytes. The last piece must be used up.
    package mutating func feed(_ chunk: [UInt8]) {
        precondition(position == input.count, "fed before the last piece was used up")
        input = chunk
        position = 0
    }

    /// The next entry or piece of content, or nil when more input is needed.
    package mutating func next() throws(ArchiveError) -> Event? {
        while position < input.count {
            switch phase {
            case .header:
                guard let header = takeBlock() else { return nil }
                if let entry = try begin(header) { return .entry(entry) }
            case .content(let left, let padding):
                let piece = takeContent(left, padding)
                if !piece.isEmpty { return .content(piece) }
            case .note(let type, let left, let padding):
                try takeNote(type, left, padding)
            case .padding(let left):
                let count = min(left, input.count - position)
                position += count
                phase = count == left ? .header : .padding(left - count)
            case .ended:
                position = input.count
            }
        }
        return nil
    }

    /// Checks that the archive's end mark was seen.
    package func finish() throws(ArchiveError) {
        switch phase {
        case .ended: return
        case .content(let left, _): throw .truncated("tar entry \"\(lastPath)\" lacks \(left) bytes")
        case .header, .note, .padding: throw .truncated("tar archive has no end mark")
        }
    }

    /// A whole header block once it is there.
    private mutating func takeBlock() -> [UInt8]? {
        let count = min(TarField.blockSize - block.count, input.count - position)
        block += input[position..<(position + count)]
        position += count
        guard block.count == TarField.blockSize else { return nil }
        defer { block.removeAll(keepingCapacity: true) }
        return block
    }

    private mutating func takeContent(_ left: UInt64, _ padding: Int) -> [UInt8] {
        let count = Int(min(left, UInt64(input.count - position)))
        let isWhole = position == 0 && count == input.count
        let piece = isWhole ? input : Array(input[position..<(position + count)])
        position += count
        phase = left == UInt64(count) ? .padding(padding) : .content(left: left - UInt64(count), padding: padding)
        return piece
    }

    private mutating func takeNote(_ type: UInt8, _ left: Int, _ padding: Int) throws(ArchiveError) {
        let count = min(left, input.count - position)
        note += input[position..<(position + count)]
        position += count
        guard count == left else {
            phase = .note(type: type, left: left - count, padding: padding)
            return
        }
        phase = .padding(padding)
        switch type {
        case UInt8(ascii: "L"): longName = try TarHeader.text(note[...], of: "name")
        case UInt8(ascii: "K"): longLink = try TarHeader.text(note[...], of: "link name")
        case UInt8(ascii: "g"): try global.read(note)
        default: try local.read(note)
        }
        note = []
    }

    /// What a header block begins: an entry, a note about the next one, or the end.
    private mutating func begin(_ block: [UInt8]) throws(ArchiveError) -> TarEntry? {
        if block.allSatisfy({ $0 == 0 }) {
            phase = .ended
            return nil
        }
        let header = try TarHeader(block)
        switch header.type {
        case UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "x"), UInt8(ascii: "g"):
            guard header.size <= TarReader.longestNote else {
                throw .tooLarge("tar header of \(header.size) bytes, at most \(TarReader.longestNote) are read")
            }
            phase = .note(type: header.type, left: Int(header.size), padding: TarReader.padding(after: header.size))
            // An empty note is complete already, and no byte of input may follow to say so.
            if header.size == 0 { try takeNote(header.type, 0, 0) }
            return nil
        case UInt8(ascii: "S"): throw .unsupported("sparse files in tar")
        default: return try entry(header)
        }
    }

    private mutating func entry(_ header: TarHeader) throws(ArchiveError) -> TarEntry {
        let path = local.path ?? longName ?? global.path ?? header.name
        let target = local.linkPath ?? longLink ?? global.linkPath ?? header.linkName
        let size = local.size ?? global.size ?? header.size
        (longName, longLink, local) = (nil, nil, PaxRecords())
        let kind = TarReader.kind(header.type, path: path, target: target)
        var entry = TarEntry(path: path, kind: kind, mode: header.mode)
        switch kind {
        case .file, .other: entry.size = size
        // Old writers leave the size of the file behind a link in its header; nothing follows all the same.
        default: entry.size = 0
        }
        guard entry.size < 1 << 63 else { throw .corrupt("tar entry of \(entry.size) bytes") }
        lastPath = path
        phase = entry.size == 0 ? .header : .content(left: entry.size, padding: TarReader.padding(after: entry.size))
        return entry
    }

    private static func kind(_ type: UInt8, path: String, target: String) -> TarEntry.Kind {
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): path.hasSuffix("/") ? .directory : .file
        case UInt8(ascii: "1"): .hardlink(target: target)
        case UInt8(ascii: "2"): .symlink(target: target)
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "6"): .fifo
        default: .other(Character(UnicodeScalar(type)))
        }
    }

    static func padding(after size: UInt64) -> Int {
        let over = Int(size % UInt64(TarField.blockSize))
        return over == 0 ? 0 : TarField.blockSize - over
    }
}
