// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Hashing

/// Names of children, computed from their parents and never random.
///
/// A name that would exceed `longest`, or that could belong to another parent too, ends in a hash of all its parts.
package enum Names {
    /// Leaves room below 63 for the suffixes that Deployments put on pods' names.
    package static let longest = 52

    /// `tumour-2`: the version of a model. A model `a` at 1-2 and a model `a-1` at 2 cannot meet, since numbers hold no dash.
    package static func modelVersion(model: String, version: Int) -> String { fitted("\(model)-\(version)", [model, String(version)]) }

    /// `tumour-2`, or `tumour-2-gpu-1a2b3c4d` with a deployment configuration, whose name could also be part of a model's.
    package static func servable(modelVersion: String, deploymentConfiguration: String?) -> String {
        guard let deploymentConfiguration else { return fitted(modelVersion, [modelVersion]) }
        return hashed("\(modelVersion)-\(deploymentConfiguration)", [modelVersion, deploymentConfiguration])
    }

    private static func fitted(_ name: String, _ parts: [String]) -> String {
        // Deployments and Services take no dots, which an object's name may hold; and a Service's begins with a letter.
        let plain = name.allSatisfy { $0 != "." } && name.first?.isLetter == true
        return plain && name.utf8.count <= longest ? name : hashed(name, parts)
    }

    private static func hashed(_ name: String, _ parts: [String]) -> String {
        var digest = SHA256()
        for part in parts { digest.update(Array(part.utf8) + [0]) }
        let suffix = SHA256.hex(of: digest.finish()).prefix(8)
        let letters = name.map { $0 == "." ? "-" : $0 }
        let first = letters.first?.isLetter == true ? "" : "m-"
        let stem = (first + String(letters)).prefix(longest - 9)
        return "\(stem.reversed().drop { $0 == "-" }.reversed().map(String.init).joined())-\(suffix)"
    }
}
