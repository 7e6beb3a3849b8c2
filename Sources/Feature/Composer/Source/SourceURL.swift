// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation

/// The address of a source on the web: whole for asking, without secrets for telling.
struct SourceURL: Sendable {
    let text: String
    /// Scheme, host and path: neither user nor query, where secrets live.
    let description: String
    /// The last part of the path, which a single file is called.
    let fileName: String

    init(parsing text: String) throws(ComposerError) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(), scheme == "http" || scheme == "https",
            let host = parts.host, !host.isEmpty
        else { throw ComposerError(.sourceInvalid, "the source's URL is no absolute http or https URL") }
        guard parts.user == nil, parts.password == nil else {
            throw ComposerError(.sourceInvalid, "the source's URL holds a user or password, which belong in a secret")
        }
        self.text = text
        description = "\(scheme)://\(host)\(parts.port.map { ":\($0)" } ?? "")\(parts.percentEncodedPath)"
        let last = parts.path.split(separator: "/").last.map(String.init) ?? ""
        let isName = !last.isEmpty && last != "." && last != ".." && last.utf8.count <= SourcePath.longestPart && !last.utf8.contains(0)
        fileName = isName ? last : "model"
    }
}
