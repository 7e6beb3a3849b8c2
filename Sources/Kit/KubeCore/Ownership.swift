// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Whether what is there still is what was wanted, looking only at the fields that were wanted.
///
/// The server fills in defaults and others own fields of their own; neither is drift. Quantities are compared by value.
package enum Ownership {
    /// The first place where `found` is not what `wanted` says, or nil.
    ///
    /// Lists must have the same length and are compared by position. `resourceVersion`, `uid` and the like are never wanted.
    package static func difference(wanted: JSONValue, found: JSONValue, at path: String = "") -> String? {
        switch (wanted, found) {
        case (.object(let wantedMembers), .object(let foundMembers)):
            for (name, value) in wantedMembers.sorted(by: { $0.key < $1.key }) {
                let place = path.isEmpty ? name : "\(path).\(name)"
                guard let other = foundMembers[name] else { return place }
                if let difference = difference(wanted: value, found: other, at: place) { return difference }
            }
            return nil
        case (.array(let wantedItems), .array(let foundItems)):
            guard wantedItems.count == foundItems.count else { return path }
            for (position, pair) in zip(wantedItems, foundItems).enumerated() {
                if let difference = difference(wanted: pair.0, found: pair.1, at: "\(path)[\(position)]") { return difference }
            }
            return nil
        case (.string(let left), .string(let right)) where path.contains(".limits.") || path.contains(".requests."):
            return left == right || Quantity(left) != nil && Quantity(left) == Quantity(right) ? nil : path
        default:
            return wanted == found ? nil : path
        }
    }

    /// The same for two objects of one kind.
    package static func difference<Object: KubeResource>(wanted: Object, found: Object) throws(JSONError) -> String? {
        difference(wanted: try JSONValue.decode(json: wanted.json()), found: try JSONValue.decode(json: found.json()))
    }
}

/// An amount of a resource: `500m`, `1.5Gi`, `2e3`. Equal amounts are equal, however they are written.
package struct Quantity: Hashable, Sendable {
    /// In units of 10⁻⁹, as the API's own smallest step.
    package let nanos: Double

    package init?(_ text: String) {
        let suffixes: [(String, Double)] = [
            ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776), ("Pi", 1_125_899_906_842_624),
            ("Ei", 1_152_921_504_606_846_976), ("n", 1e-9), ("u", 1e-6), ("m", 1e-3), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12),
            ("P", 1e15), ("E", 1e18),
        ]
        let suffix = suffixes.first { text.hasSuffix($0.0) }
        let figure = text.dropLast(suffix?.0.count ?? 0)
        guard let first = figure.utf8.first, first &- 48 < 10 || "+-.".utf8.contains(first), let number = Double(figure), number.isFinite
        else { return nil }
        nanos = (number * (suffix?.1 ?? 1) * 1e9).rounded()
    }
}
