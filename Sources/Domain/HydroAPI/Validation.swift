// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// The rules that CRDs hold as CEL, for servers before 1.25, which have none. Each problem says what was wanted and what was found.
extension Model.Spec {
    package func problems() -> [String] {
        var problems: [String] = []
        if source.given.count != 1 {
            let found = source.given.isEmpty ? "none" : source.given.joined(separator: " and ")
            problems.append("source wants exactly one of configMap, http, s3, git, oci, external, got \(found)")
        }
        if source.external != nil {
            if signature == nil { problems.append("a model that runs elsewhere wants a signature, got none") }
            if install != nil { problems.append("a model that runs elsewhere wants no install command, got one") }
        } else if let runtime {
            problems += runtime.problems()
        } else {
            problems.append("runtime wants a name or an image, got none")
        }
        if let sha256 = source.http?.sha256, sha256.count != 64 || !sha256.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) {
            problems.append("source.http.sha256 wants 64 lower-case hexadecimal digits, got \"\(sha256)\"")
        }
        if versionHistoryLimit < 1 { problems.append("versionHistoryLimit wants at least 1, got \(versionHistoryLimit)") }
        return problems
    }
}

extension RuntimeChoice {
    func problems() -> [String] {
        switch (name, image) {
        case (nil, nil): return ["runtime wants a name or an image, got none"]
        case (.some, .some): return ["runtime wants a name or an image, got both"]
        case (.some, nil):
            return `protocol` == nil && port == nil ? [] : ["runtime wants protocol and port only beside an image: a Runtime has its own"]
        case (nil, .some): return []
        }
    }
}

extension Application.Spec {
    package func problems() -> [String] {
        var problems: [String] = []
        if stages.isEmpty { problems.append("stages wants at least one, got none") }
        if SpanText.duration(timeout) == nil { problems.append("timeout wants a whole number and ms, s or m, got \"\(timeout)\"") }
        var names: Set<String> = []
        for place in stages.indices {
            let name = name(ofStage: place)
            if !names.insert(name).inserted { problems.append("stages want names of their own, got \"\(name)\" twice") }
            problems += stages[place].problems().map { "stage \"\(name)\": \($0)" }
        }
        if let concurrency { problems += concurrency.problems() }
        if let access, access.tokenReview == nil, access.jwt == nil {
            problems.append("access wants tokenReview, jwt or both, got neither")
        }
        return problems
    }
}

extension Application.Concurrency {
    func problems() -> [String] {
        var problems: [String] = []
        if limit < 1 { problems.append("concurrency.limit wants at least 1, got \(limit)") }
        if let queue, queue < 0 { problems.append("concurrency.queue wants at least 0, got \(queue)") }
        return problems
    }
}

extension Application.Stage {
    func problems() -> [String] {
        let answering = variants.filter { $0.shadow == nil }
        var problems: [String] = []
        if answering.isEmpty { problems.append("wants a variant that answers, got none") }
        if answering.count > 1, answering.contains(where: { $0.weight == nil }) {
            problems.append("each of several variants that answer wants a weight, got one without")
        } else if !answering.isEmpty, answering.contains(where: { $0.weight != nil }) {
            let sum = answering.reduce(0) { $0 + ($1.weight ?? 0) }
            if sum != 100 { problems.append("weights of the variants that answer want to sum to 100, got \(sum)") }
        }
        for variant in variants {
            if let shadow = variant.shadow {
                if variant.weight != nil { problems.append("a shadow wants a percent instead of a weight, got a weight") }
                if !(1...100).contains(shadow.percent) { problems.append("shadow.percent wants 1 to 100, got \(shadow.percent)") }
            }
            if let version = variant.version, version < 1 { problems.append("version wants at least 1, got \(version)") }
        }
        return problems
    }
}

extension Application.Variant {
    /// How messages and tables name the variant before its version is known: `claims`, or `claims:2`.
    package var label: String { version.map { "\(model):\($0)" } ?? model }
}
