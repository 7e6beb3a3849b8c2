// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Reads YAML as kubectl reads it, into JSON values.
package enum YamlParser {
    /// How far a text may go before it is refused.
    package struct Limits: Equatable, Sendable {
        /// The text's own size.
        package var bytes: Int
        /// Values inside values.
        package var depth: Int
        /// Values in all, each alias counted with all that it stands for.
        package var values: Int

        package init(bytes: Int = 4 << 20, depth: Int = 100, values: Int = 200_000) {
            self.bytes = bytes
            self.depth = depth
            self.values = values
        }
    }

    /// All documents of a stream, in order. Documents in which nothing is written are left out.
    ///
    /// - Plain scalars: null, booleans (`yes`, `no`, `on`, `off`, `y`, `n` too), integers (a leading 0 is octal) and
    ///   floats as sigs.k8s.io/yaml reads them; dates stay strings; what is quoted is a string.
    /// - Keys: strings, and integers by their decimal text. Any other key is refused, so that `on:` cannot turn into `true:`.
    /// - A key that stands twice is refused. In a merge (`<<`) the mapping's own keys win, wherever they stand, then the earlier source.
    /// - Tags of the YAML schema for these types are obeyed; any other tag is refused.
    package static func documents(_ bytes: [UInt8], limits: Limits = Limits()) throws(YamlError) -> [JSONValue] {
        guard bytes.count <= limits.bytes else {
            throw YamlError(.tooLarge, "wanted at most \(limits.bytes) bytes, found \(bytes.count)", line: 1, column: 1)
        }
        var composition = YamlComposition(events: try YamlEvents(bytes), limits: limits)
        return try composition.documents()
    }

    /// All documents of a text; see `documents(_:limits:)`.
    package static func documents(_ text: String, limits: Limits = Limits()) throws(YamlError) -> [JSONValue] {
        try documents(Array(text.utf8), limits: limits)
    }
}

/// One reading of one stream: events in, values out.
private struct YamlComposition {
    /// A value, how many values it stands for, and how deep it reaches.
    struct Node {
        var value: JSONValue
        var count = 1
        var height = 1
    }

    let events: YamlEvents
    let limits: YamlParser.Limits
    var anchors: [String: Node] = [:]
    var count = 0

    mutating func documents() throws(YamlError) -> [JSONValue] {
        var found: [JSONValue] = []
        while true {
            let event = try events.next()
            switch event.payload {
            case .streamEnd: return found
            case .documentStart:
                anchors = [:]
                let root = try events.next()
                if case .scalar(let scalar, nil) = root.payload, scalar.isNothing { continue }
                found.append(try node(root, depth: 1).value)
            default: continue
            }
        }
    }

    private mutating func node(_ event: YamlEvent, depth: Int) throws(YamlError) -> Node {
        switch event.payload {
        case .alias(let name):
            guard let node = anchors[name] else {
                throw event.failure(.unknownAlias, "wanted an anchor named \"\(name)\" before its alias, found none")
            }
            try admit(node, at: event, depth: depth)
            return node
        case .scalar(let scalar, let anchor):
            let node = Node(value: try value(of: scalar, at: event))
            try admit(node, at: event, depth: depth)
            return remember(node, as: anchor)
        case .sequenceStart(let tag, let anchor):
            try checkTag(tag, wanted: "tag:yaml.org,2002:seq", at: event)
            try admit(Node(value: .null), at: event, depth: depth)
            return remember(try sequence(depth: depth), as: anchor)
        case .mappingStart(let tag, let anchor):
            try checkTag(tag, wanted: "tag:yaml.org,2002:map", at: event)
            try admit(Node(value: .null), at: event, depth: depth)
            return remember(try mapping(depth: depth), as: anchor)
        case .documentStart, .documentEnd, .streamEnd, .sequenceEnd, .mappingEnd:
            throw event.failure(.syntax, "wanted a value, found an end")
        }
    }

    private mutating func sequence(depth: Int) throws(YamlError) -> Node {
        var items: [JSONValue] = []
        var whole = Node(value: .null)
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.payload { break }
            let item = try node(event, depth: depth + 1)
            items.append(item.value)
            whole.include(item)
        }
        whole.value = .array(items)
        return whole
    }

    private mutating func mapping(depth: Int) throws(YamlError) -> Node {
        var members: [String: JSONValue] = [:]
        var merged: [String: JSONValue] = [:]
        var hasMerged = false
        var whole = Node(value: .null)
        while true {
            let event = try events.next()
            if case .mappingEnd = event.payload { break }
            let key = try key(event, depth: depth + 1)
            let value = try node(try events.next(), depth: depth + 1)
            whole.include(value)
            switch key {
            case .merge where hasMerged:
                throw event.failure(.duplicateKey, "the key \"<<\" stands twice in one mapping")
            case .merge:
                merged = try merge(value.value, at: event)
                hasMerged = true
            case .named(let name):
                guard members.updateValue(value.value, forKey: name) == nil else {
                    throw event.failure(.duplicateKey, "the key \"\(name)\" stands twice in one mapping")
                }
            }
        }
        whole.value = .object(members.merging(merged) { own, _ in own })
        return whole
    }

    private enum Key {
        case named(String)
        case merge
    }

    private mutating func key(_ event: YamlEvent, depth: Int) throws(YamlError) -> Key {
        if case .scalar(let scalar, nil) = event.payload, scalar.isPlain, scalar.text == "<<", scalar.tag == nil {
            return .merge
        }
        switch try node(event, depth: depth).value {
        case .string(let name): return .named(name)
        case .int(let number): return .named(String(number))
        case .null: throw event.failure(.unsupported, "wanted a string as key, found null (quote it)")
        case .bool(let flag): throw event.failure(.unsupported, "wanted a string as key, found the boolean \(flag) (quote it)")
        case .double(let number): throw event.failure(.unsupported, "wanted a string as key, found the number \(number) (quote it)")
        case .array: throw event.failure(.unsupported, "wanted a string as key, found a sequence")
        case .object: throw event.failure(.unsupported, "wanted a string as key, found a mapping")
        }
    }

    private func merge(_ value: JSONValue, at event: YamlEvent) throws(YamlError) -> [String: JSONValue] {
        var merged: [String: JSONValue] = [:]
        for source in value.array ?? [value] {
            guard case .object(let members) = source else {
                throw event.failure(.unsupported, "wanted a mapping, or a sequence of them, after \"<<\"")
            }
            merged.merge(members) { earlier, _ in earlier }
        }
        return merged
    }

    private func value(of scalar: YamlScalar, at event: YamlEvent) throws(YamlError) -> JSONValue {
        switch scalar.resolved() {
        case .success(let value): return value
        case .failure(let refusal): throw event.failure(.unsupported, refusal.message)
        }
    }

    private func checkTag(_ tag: String?, wanted: String, at event: YamlEvent) throws(YamlError) {
        guard tag == nil || tag == wanted || tag == "!" else {
            throw event.failure(.unsupported, "the tag \(tag ?? "") has no JSON value")
        }
    }

    private mutating func remember(_ node: Node, as anchor: String?) -> Node {
        if let anchor { anchors[anchor] = node }
        return node
    }

    /// Counts a value in before it is kept.
    private mutating func admit(_ node: Node, at event: YamlEvent, depth: Int) throws(YamlError) {
        count += node.count
        guard count <= limits.values else {
            throw event.failure(.tooLarge, "wanted at most \(limits.values) values, aliases counted in full, found more")
        }
        guard depth + node.height - 1 <= limits.depth else {
            throw event.failure(.tooLarge, "wanted at most \(limits.depth) values inside each other, found more")
        }
    }
}

extension YamlComposition.Node {
    fileprivate mutating func include(_ child: Self) {
        count += child.count
        height = max(height, child.height + 1)
    }
}
