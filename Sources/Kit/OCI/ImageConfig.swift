// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// An image's configuration: how it runs and what its layers unpack to.
///
/// *Guarantees*: whatever stands in it and is not understood here is written back as it was.
package struct ImageConfig: Equatable, Sendable {
    private var document: [String: JSONValue]

    /// Reads a configuration.
    package init(json: [UInt8]) throws(JSONError) {
        guard case .object(let members) = try JSONValue.decode(json: json) else {
            throw JSONError("wanted an object")
        }
        document = members
        guard case .array(let layers)? = members["rootfs"]?["diff_ids"], layers.allSatisfy({ $0.string != nil }) else {
            throw JSONError("wanted an array of digests", path: "rootfs.diff_ids")
        }
    }

    /// A configuration of a platform, without layers.
    package init(platform: Platform) {
        document = [
            "architecture": .string(platform.architecture), "os": .string(platform.os),
            "rootfs": ["type": "layers", "diff_ids": []], "config": [:],
        ]
    }

    /// The document, with sorted keys: equal configurations give equal bytes.
    package func json() -> [UInt8] { JSONValue.object(document).json() }

    package var platform: Platform {
        Platform(
            os: document["os"]?.string ?? "", architecture: document["architecture"]?.string ?? "", variant: document["variant"]?.string)
    }

    /// The digests of the layers once they are unpacked, lowest first.
    package var diffIDs: [String] {
        (document["rootfs"]?["diff_ids"]?.array ?? []).compactMap(\.string)
    }

    /// The labels of containers made from it.
    package var labels: [String: String] {
        get { (document["config"]?["Labels"]?.object ?? [:]).compactMapValues(\.string) }
        set { setRunning("Labels", to: .object(newValue.mapValues { .string($0) })) }
    }

    /// The user that containers run as, as written.
    package var user: String { document["config"]?["User"]?.string ?? "" }

    /// Environment variables as `NAME=value`.
    package var environment: [String] { (document["config"]?["Env"]?.array ?? []).compactMap(\.string) }

    /// Puts a layer on top, with the line that history keeps of it.
    package mutating func append(diffID: Digest, createdBy: String, created: String? = nil) {
        var rootfs = document["rootfs"]?.object ?? ["type": "layers"]
        rootfs["diff_ids"] = .array((rootfs["diff_ids"]?.array ?? []) + [.string("\(diffID)")])
        document["rootfs"] = .object(rootfs)
        // History is all or nothing: a line for one layer above many without would be taken for theirs.
        guard document["history"] != nil || diffIDs.count == 1 else { return }
        var line: [String: JSONValue] = ["created_by": .string(createdBy)]
        if let created { line["created"] = .string(created) }
        document["history"] = .array((document["history"]?.array ?? []) + [.object(line)])
    }

    private mutating func setRunning(_ key: String, to value: JSONValue) {
        var running = document["config"]?.object ?? [:]
        running[key] = value
        document["config"] = .object(running)
    }
}
