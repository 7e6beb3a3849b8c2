// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// One request as the server read it, whole.
package struct LoopbackRequest: Sendable {
    package var method: String
    /// What stood in the request line: `/api/v1/pods?limit=500`.
    package var target: String
    package var headers: [(name: String, value: String)]
    /// The body without its framing.
    package var body: [UInt8]
    /// Which connection brought it, counted from 1.
    package var connection: Int

    /// The target without its query.
    package var path: String { String(target.prefix { $0 != "?" }) }

    /// The query of the target as written, empty where there is none.
    package var query: String { String(target.drop { $0 != "?" }.dropFirst()) }

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The first header of that name, whatever its case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
