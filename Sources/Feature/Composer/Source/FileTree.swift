// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Archive

/// The files of a source, checked: names and places in memory, contents in a spool file.
struct FileTree: Sendable {
    enum Node: Sendable, Equatable {
        case folder
        case file(offset: UInt64, size: UInt64, isExecutable: Bool)
        case symlink(target: String)
    }

    /// Every folder above an entry is an entry too.
    fileprivate(set) var nodes: [String: Node] = [:]
    /// The bytes of all files together, as they will be written.
    fileprivate(set) var byteCount: UInt64 = 0
    let spool: SpoolFile

    var fileCount: Int {
        nodes.values.reduce(0) { count, node in
            if case .file = node { count + 1 } else { count }
        }
    }

    /// Paths in the order of their bytes, so that it depends on nothing but the names.
    var sortedPaths: [String] {
        nodes.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

/// Gathers a source's files and refuses what must not be in an image.
struct FileTreeBuilder {
    private var tree: FileTree
    private let limits: SourceLimits
    private var open: (path: String, offset: UInt64, isExecutable: Bool)?

    init(in folder: String, limits: SourceLimits) throws(ComposerError) {
        do throws(ArchiveError) {
            tree = FileTree(spool: try SpoolFile(in: folder))
        } catch {
            throw ComposerError(error)
        }
        self.limits = limits
    }

    /// Begins a file; its content follows by `append` until `endFile`.
    mutating func beginFile(_ raw: String, isExecutable: Bool) throws(ComposerError) {
        guard let path = try SourcePath(parsing: raw) else { throw SourcePath.refused(raw, "is a file without a name") }
        try claim(path, raw)
        open = (path.text, tree.spool.size, isExecutable)
    }

    mutating func append(_ bytes: [UInt8]) throws(ComposerError) {
        try count(UInt64(bytes.count))
        do throws(ArchiveError) {
            try tree.spool.append(bytes)
        } catch {
            throw ComposerError(error)
        }
    }

    mutating func endFile() {
        guard let file = open else { return }
        tree.nodes[file.path] = .file(offset: file.offset, size: tree.spool.size - file.offset, isExecutable: file.isExecutable)
        open = nil
    }

    mutating func addFolder(_ raw: String) throws(ComposerError) {
        guard let path = try SourcePath(parsing: raw) else { return }
        if tree.nodes[path.text] == .folder { return }
        try claim(path, raw)
        tree.nodes[path.text] = .folder
    }

    mutating func addSymlink(_ raw: String, to target: String) throws(ComposerError) {
        guard let path = try SourcePath(parsing: raw) else { throw SourcePath.refused(raw, "is a link without a name") }
        guard path.staysInside(linkingTo: target) else {
            throw SourcePath.refused(raw, "links to \"\(target.prefix(200))\", which leads out of the source")
        }
        try claim(path, raw)
        tree.nodes[path.text] = .symlink(target: target)
    }

    /// A hard link becomes a file with the same content, and counts as one.
    mutating func addHardlink(_ raw: String, to target: String) throws(ComposerError) {
        guard let path = try SourcePath(parsing: raw) else { throw SourcePath.refused(raw, "is a link without a name") }
        guard let source = try SourcePath(parsing: target), case .file(let offset, let size, let isExecutable)? = tree.nodes[source.text]
        else { throw SourcePath.refused(raw, "links to \"\(target.prefix(200))\", which is no file before it") }
        try claim(path, raw)
        try count(size)
        tree.nodes[path.text] = .file(offset: offset, size: size, isExecutable: isExecutable)
    }

    /// The tree, once everything is in.
    func finish() throws(ComposerError) -> FileTree {
        guard !tree.nodes.isEmpty else { throw ComposerError(.sourceInvalid, "the source has no files") }
        return tree
    }

    /// Takes a path that nobody has, and makes the folders above it.
    private mutating func claim(_ path: SourcePath, _ raw: String) throws(ComposerError) {
        guard tree.nodes[path.text] == nil else { throw SourcePath.refused(raw, "is in the source twice") }
        var parent = path.parent
        while let folder = parent {
            switch tree.nodes[folder.text] {
            case nil: tree.nodes[folder.text] = .folder
            case .folder: break
            case .file, .symlink: throw SourcePath.refused(raw, "lies below \"\(folder.text)\", which is no folder")
            }
            parent = folder.parent
        }
        guard tree.nodes.count < limits.entries else {
            throw ComposerError(.sourceTooLarge, "the source has more than \(limits.entries) entries")
        }
    }

    private mutating func count(_ bytes: UInt64) throws(ComposerError) {
        let (sum, overflow) = tree.byteCount.addingReportingOverflow(bytes)
        guard !overflow, sum <= limits.bytes else {
            throw ComposerError(.sourceTooLarge, "the source unpacks to more than \(limits.bytes) bytes")
        }
        tree.byteCount = sum
    }
}
