// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A place for images in a registry: `registry.example:5000/team/name`.
package struct Repository: Hashable, Sendable, CustomStringConvertible {
    /// Host and port, as people write it.
    package let registry: String
    /// The path behind it.
    package let name: String

    /// A repository of checked parts.
    package init(registry: String, name: String) throws(ReferenceError) {
        guard Repository.isHost(registry) else {
            throw ReferenceError("registry \"\(registry)\" is not a host with an optional port")
        }
        guard name.utf8.count <= 255, name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(Repository.isComponent) else {
            throw ReferenceError("repository \"\(name)\" is not lower-case words with . _ - between them, divided by /")
        }
        self.registry = registry
        self.name = name
    }

    package var description: String { "\(registry)/\(name)" }

    /// Where the registry's HTTP API answers: Docker Hub's is not at the name that references use.
    package var host: String { registry == "docker.io" ? "registry-1.docker.io" : registry }

    private static func isHost(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // An address of IPv6 is in brackets, with a port after them.
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            return !address.isEmpty && address.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
                && (rest.isEmpty || isPort(rest.dropFirst()))
        }
        guard let host = parts.first, !host.isEmpty, parts.count <= 2, parts.count == 1 || isPort(parts[1]) else { return false }
        return host.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } && UInt16(text) != nil
    }

    /// Words of lower-case letters and digits; between them one period, one or two underscores, or any number of dashes.
    private static func isComponent(_ text: Substring) -> Bool {
        var gap: [UInt8] = []
        var sawWord = false
        for byte in text.utf8 {
            if isAlphanumeric(byte), !isUpperCase(byte) {
                guard gap.isEmpty || (sawWord && isGap(gap)) else { return false }
                sawWord = true
                gap = []
            } else {
                gap.append(byte)
            }
        }
        return sawWord && gap.isEmpty
    }

    private static func isGap(_ gap: [UInt8]) -> Bool {
        gap == Array(".".utf8) || gap == Array("_".utf8) || gap == Array("__".utf8) || gap.allSatisfy { $0 == UInt8(ascii: "-") }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: false
        }
    }

    private static func isUpperCase(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}

/// The name of an image: a repository with a tag, a digest or both.
package struct ImageReference: Hashable, Sendable {
    package let repository: Repository
    package let tag: String?
    package let digest: Digest?

    /// A reference of parts; without a tag and a digest it means `latest`.
    package init(_ repository: Repository, tag: String? = nil, digest: Digest? = nil) throws(ReferenceError) {
        if let tag, !ImageReference.isTag(tag) {
            throw ReferenceError("tag \"\(tag)\" is not 1 to 128 letters, digits, . _ -, or begins with . or -")
        }
        self.repository = repository
        self.tag = tag == nil && digest == nil ? "latest" : tag
        self.digest = digest
    }

    /// A reference by digest alone.
    package init(_ repository: Repository, digest: Digest) {
        self.repository = repository
        self.tag = nil
        self.digest = digest
    }

    /// Reads a reference as people write it: the registry is Docker Hub where the first part is no host,
    /// and the tag is `latest` where neither tag nor digest is given.
    package init(parsing text: String) throws(ReferenceError) {
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            digest = try Digest(parsing: String(rest[rest.index(after: at)...]))
            rest = rest[..<at]
        }
        var tag: String?
        let lastSlash = rest.lastIndex(of: "/") ?? rest.startIndex
        if let colon = rest[lastSlash...].lastIndex(of: ":") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        guard !rest.isEmpty else { throw ReferenceError("image reference \"\(text)\" has no repository") }
        self = try ImageReference(try ImageReference.repository(from: rest), tag: tag, digest: digest)
    }

    private static func repository(from text: Substring) throws(ReferenceError) -> Repository {
        if let slash = text.firstIndex(of: "/") {
            let first = text[..<slash]
            if first.contains(".") || first.contains(":") || first == "localhost" {
                let registry = first == "index.docker.io" ? "docker.io" : String(first)
                let name = String(text[text.index(after: slash)...])
                return try Repository(registry: registry, name: registry == "docker.io" ? official(name) : name)
            }
        }
        return try Repository(registry: "docker.io", name: official(String(text)))
    }

    /// Docker Hub keeps names of one part under `library`.
    private static func official(_ name: String) -> String {
        name.contains("/") ? name : "library/" + name
    }

    private static func isTag(_ tag: String) -> Bool {
        guard let first = tag.utf8.first, tag.utf8.count <= 128 else { return false }
        return (Repository.isAlphanumeric(first) || first == UInt8(ascii: "_"))
            && tag.utf8.allSatisfy { Repository.isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    /// What a manifest is asked for by: the digest where there is one.
    package var locator: String { digest?.description ?? tag ?? "latest" }
}

extension ImageReference: CustomStringConvertible {
    package var description: String {
        "\(repository)" + (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}
