// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A path of a source, made safe: relative, without empty parts, `.` or `..`.
struct SourcePath: Hashable, Sendable {
    let text: String

    static let longest = 4096
    static let longestPart = 255

    /// The parts of a path as an archive has it; nil for the root itself, which every archive may name.
    init?(parsing raw: String) throws(ComposerError) {
        guard !raw.hasPrefix("/") else { throw SourcePath.refused(raw, "is absolute") }
        var parts: [Substring] = []
        for part in raw.split(separator: "/") where part != "." {
            guard part != ".." else { throw SourcePath.refused(raw, "leads out of the source by \"..\"") }
            guard part.utf8.count <= SourcePath.longestPart else {
                throw SourcePath.refused(raw, "has a part longer than \(SourcePath.longestPart) bytes")
            }
            guard !part.utf8.contains(0) else { throw SourcePath.refused(raw, "has a zero byte") }
            parts.append(part)
        }
        guard raw.utf8.count <= SourcePath.longest else {
            throw SourcePath.refused(raw, "is longer than \(SourcePath.longest) bytes")
        }
        guard !parts.isEmpty else { return nil }
        text = parts.joined(separator: "/")
    }

    private init(known text: String) { self.text = text }

    /// The folder that it lies in; nil at the root.
    var parent: SourcePath? {
        text.lastIndex(of: "/").map { SourcePath(known: String(text[..<$0])) }
    }

    /// Whether a symbolic link here to `target` stays inside the source.
    ///
    /// Only leading `..` are allowed: from a real folder they count true, while behind another link they need not.
    func staysInside(linkingTo target: String) -> Bool {
        guard !target.isEmpty, !target.hasPrefix("/"), !target.utf8.contains(0), target.utf8.count <= SourcePath.longest else {
            return false
        }
        var depth = text.split(separator: "/").count - 1
        var sawName = false
        for part in target.split(separator: "/") where part != "." {
            if part == ".." {
                depth -= 1
                guard !sawName, depth >= 0 else { return false }
            } else {
                sawName = true
            }
        }
        return true
    }

    static func refused(_ raw: String, _ why: String) -> ComposerError {
        ComposerError(.sourceInvalid, "entry \"\(raw.prefix(200))\" \(why)")
    }
}
