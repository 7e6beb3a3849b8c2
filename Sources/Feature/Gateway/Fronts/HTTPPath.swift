// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// What an HTTP path asks for, and where its names are looked up.
struct HTTPPath: Equatable {
    enum Place: Equatable {
        /// `/gateway/{kind}/{name}`
        case predict(RouteTarget.Kind, name: String)
        /// `/gateway/{kind}/{name}/generateInputs`
        case sample(RouteTarget.Kind, name: String)
        /// `/gateway/application`
        case applications
        /// `/v2…`
        case openInference(OpenInferencePlace)
        /// `/openapi/{name}.json`
        case openAPI(name: String)
        /// `/health`
        case health
        /// `/gateway/buildinfo`
        case buildInfo
    }

    /// What `/namespaces/{ns}` said; nil where the path begins without it.
    var namespace: String?
    /// Nil for a path that nothing is behind.
    var place: Place?

    /// Reads a path as it was sent. Cost: one copy, and the names in it.
    init(_ path: String) {
        var scan = PathScan(path)
        guard scan.begins else { return }
        if scan.take("namespaces") {
            guard let name = scan.name() else { return }
            namespace = name
        }
        if scan.take("gateway") {
            place = Self.gateway(&scan)
        } else if scan.take("v2") {
            place = OpenInferencePlace(&scan).map { .openInference($0) }
        } else if scan.take("openapi") {
            guard let file = scan.name(), scan.isAtEnd, file.hasSuffix(".json"), file.utf8.count > 5 else { return }
            place = .openAPI(name: String(file.dropLast(5)))
        } else if scan.take("health"), scan.isAtEnd, namespace == nil {
            place = .health
        }
    }

    private static func gateway(_ scan: inout PathScan) -> Place? {
        let kind: RouteTarget.Kind
        if scan.take("application") {
            kind = .application
            if scan.isAtEnd || scan.take("") && scan.isAtEnd { return .applications }
        } else if scan.take("servable") {
            kind = .servable
        } else {
            return scan.take("buildinfo") && scan.isAtEnd ? .buildInfo : nil
        }
        guard let name = scan.name() else { return nil }
        if scan.isAtEnd { return .predict(kind, name: name) }
        return scan.take("generateInputs") && scan.isAtEnd ? .sample(kind, name: name) : nil
    }

    /// Whether callers of the path expect errors as the Open Inference Protocol writes them. For paths that may be broken.
    static func isOpenInference(_ path: String) -> Bool {
        var scan = PathScan(path)
        guard scan.begins else { return false }
        if scan.take("namespaces"), scan.name() == nil { return false }
        return scan.take("v2")
    }
}

/// A place in the Open Inference Protocol, below `/v2`.
enum OpenInferencePlace: Equatable {
    /// What may be asked of one model.
    enum Verb: String, CaseIterable { case metadata, ready, infer, stats, config }

    case server
    case live
    case ready
    case model(name: String, version: String?, Verb)
    /// The statistics of all models.
    case statistics
    case repositoryIndex
    case repositoryModel(name: String, verb: String)
    /// What the protocol's largest server has beyond, and a gateway cannot have: tracing, logging, shared memory.
    case foreign(String)

    /// Reads what follows `/v2`; nil where nothing is.
    init?(_ scan: inout PathScan) {
        if scan.take("models") {
            guard let place = Self.model(&scan) else { return nil }
            self = place
        } else if scan.isAtEnd || scan.take("") && scan.isAtEnd {
            self = .server
        } else if scan.take("health") {
            if scan.take("live"), scan.isAtEnd {
                self = .live
            } else if scan.take("ready"), scan.isAtEnd {
                self = .ready
            } else {
                return nil
            }
        } else if scan.take("repository") {
            guard let place = Self.repository(&scan) else { return nil }
            self = place
        } else {
            guard let topic = ["systemsharedmemory", "cudasharedmemory", "trace", "logging"].first(where: { scan.take($0) }) else {
                return nil
            }
            self = .foreign(topic)
        }
    }

    private static func model(_ scan: inout PathScan) -> Self? {
        guard let name = scan.name() else { return nil }
        if scan.isAtEnd { return name == "stats" ? .statistics : .model(name: name, version: nil, .metadata) }
        var version: String?
        if scan.take("versions") {
            guard let text = scan.name() else { return nil }
            version = text
            if scan.isAtEnd { return .model(name: name, version: version, .metadata) }
        }
        if scan.take("infer"), scan.isAtEnd { return .model(name: name, version: version, .infer) }
        if scan.take("trace") { return .foreign("trace") }
        guard let verb = Verb.allCases.first(where: { $0 != .metadata && scan.take($0.rawValue) }), scan.isAtEnd else { return nil }
        return .model(name: name, version: version, verb)
    }

    private static func repository(_ scan: inout PathScan) -> Self? {
        if scan.take("index"), scan.isAtEnd { return .repositoryIndex }
        guard scan.take("models"), let name = scan.name() else { return nil }
        for verb in ["load", "unload"] where scan.take(verb) { return scan.isAtEnd ? .repositoryModel(name: name, verb: verb) : nil }
        return nil
    }
}

/// Walks the segments of a path where they lie.
struct PathScan {
    private let bytes: [UInt8]
    private var place: Int
    /// Whether the path begins with a slash, as every path does that a name can be in.
    let begins: Bool
    /// Whether all segments have been taken.
    private(set) var isAtEnd = false

    private static let slash = UInt8(ascii: "/")

    init(_ path: String) {
        bytes = Array(path.utf8)
        begins = bytes.first == Self.slash
        place = begins ? 1 : 0
    }

    /// Takes the next segment if it is this word.
    mutating func take(_ word: String) -> Bool {
        let end = place + word.utf8.count
        guard !isAtEnd, end == bytes.count || end < bytes.count && bytes[end] == Self.slash else { return false }
        var at = place
        for byte in word.utf8 {
            guard bytes[at] == byte else { return false }
            at += 1
        }
        step(over: end)
        return true
    }

    /// Takes the next segment as a name, without its percent-encoding; nil where it is empty, broken, or missing.
    mutating func name() -> String? {
        guard !isAtEnd else { return nil }
        let end = bytes[place...].firstIndex(of: Self.slash) ?? bytes.count
        guard end > place, let name = Self.decoded(bytes[place..<end]), !name.isEmpty else { return nil }
        step(over: end)
        return name
    }

    private mutating func step(over end: Int) {
        isAtEnd = end == bytes.count
        place = isAtEnd ? end : end + 1
    }

    /// The text behind percent-encoding; nil where that is broken.
    private static func decoded(_ text: ArraySlice<UInt8>) -> String? {
        guard text.contains(UInt8(ascii: "%")) else { return String(decoding: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hex), let low = rest.popFirst().flatMap(hex) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
