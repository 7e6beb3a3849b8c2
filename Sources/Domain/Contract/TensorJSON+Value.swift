// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON

/// The value of one field on its way to a tensor: lists of any depth, flattened, and what their nesting says of the shape.
struct ValueReading {
    let field: Field
    let undeclared: UndeclaredPolicy
    let path: String
    /// The violations inside a map's own fields.
    var inner: [ContractViolation] = []
    private var dims: [Int64] = []
    private var leafDepth: Int?
    private var isRagged = false
    private var problem: String?

    private static let untold: Int64 = -2

    init(field: Field, undeclared: UndeclaredPolicy, path: String) {
        self.field = field
        self.undeclared = undeclared
        self.path = path
    }

    /// The tensor, if the lists fit the field.
    func outcome(_ elements: Tensor.Elements) -> Result<Tensor, ContractViolation> {
        if let problem { return .failure(violation(problem)) }
        if isRagged { return .failure(violation("lists of unequal length or depth")) }
        let tensor = Tensor(field.dtype, nil, elements)
        guard let seen = shapeOfLists() else { return .failure(violation("an odd count of real and imaginary parts")) }
        guard let shape = settle(seen, tensor.count) else {
            return .failure(violation(seen == .scalar ? "a single value" : "lists of shape \(seen)"))
        }
        return .success(Tensor(field.dtype, shape, elements))
    }

    private func violation(_ found: String) -> ContractViolation {
        ContractViolation(field: path + field.name, wanted: field.wanted, found: found)
    }

    private func shapeOfLists() -> Shape? {
        guard field.dtype.isComplex else { return Shape(dims) }
        guard let last = dims.last, last % 2 == 0 else { return nil }
        // Two numbers in one list are a scalar where a scalar is declared.
        if dims == [2], field.shape == .scalar { return .scalar }
        return Shape(dims.dropLast() + [last / 2])
    }

    private func settle(_ seen: Shape, _ count: Int) -> Shape? {
        guard let wanted = field.shape else { return seen }
        if wanted.accepts(seen) { return seen }
        return seen.rank == 1 && wanted.rank > 1 ? wanted.filled(by: count) : nil
    }

    /// Calls `leaf` for every value that is no list; it reads the value or says what is wrong with it.
    private mutating func walk(
        _ reader: inout JSONReader, depth: Int = 0, leaf: (inout JSONReader) throws(JSONError) -> String?
    ) throws(JSONError) {
        guard try reader.peek() == .array else {
            if leafDepth == nil { leafDepth = depth }
            if leafDepth != depth || dims.count > depth { isRagged = true }
            // One problem per field is enough, but the rest of the text must still be JSON.
            if problem != nil || isRagged { return try reader.skip() }
            problem = try leaf(&reader)
            return
        }
        if let leafDepth, leafDepth <= depth { isRagged = true }
        if dims.count == depth { dims.append(Self.untold) }
        var count: Int64 = 0
        try reader.array { (reader, _) throws(JSONError) in
            count += 1
            try walk(&reader, depth: depth + 1, leaf: leaf)
        }
        if dims[depth] == Self.untold { dims[depth] = count }
        if dims[depth] != count { isRagged = true }
    }

    mutating func elements(_ reader: inout JSONReader) throws(JSONError) -> Tensor.Elements {
        switch field.dtype {
        case .double, .complex128: .double(try values(&reader) { (reader, into) throws(JSONError) in try Self.double(&reader, &into) })
        case .float, .complex64: .float(try values(&reader) { (reader, into) throws(JSONError) in try Self.float(&reader, &into) })
        case .half: .half(try values(&reader) { (reader, into) throws(JSONError) in try Self.half(&reader, &into) })
        case .int64: .int64(try values(&reader) { (reader, into) throws(JSONError) in try Self.int64(&reader, &into) })
        case .uint64: .uint64(try values(&reader) { (reader, into) throws(JSONError) in try Self.uint64(&reader, &into) })
        case .uint32: .uint32(try narrow(&reader))
        case .int8, .int16, .int32, .uint8, .uint16, .qint8, .qint16, .qint32, .quint8, .quint16: .int32(try narrow(&reader))
        case .bool: .bool(try values(&reader) { (reader, into) throws(JSONError) in try Self.bool(&reader, &into) })
        case .string: .bytes(try values(&reader) { (reader, into) throws(JSONError) in try Self.text(&reader, &into) })
        case .map: .maps(try maps(&reader))
        case .any, .invalid:
            .double(try values(&reader) { (reader, _) throws(JSONError) in try Self.untyped(&reader) })
        }
    }

    private mutating func values<Element>(
        _ reader: inout JSONReader, _ leaf: (inout JSONReader, inout [Element]) throws(JSONError) -> String?
    ) throws(JSONError) -> [Element] {
        var values: [Element] = []
        if let count = field.shape?.count { values.reserveCapacity(min(count, 1 << 16)) }
        try walk(&reader) { (reader) throws(JSONError) in try leaf(&reader, &values) }
        return values
    }

    private mutating func narrow<Element: FixedWidthInteger>(_ reader: inout JSONReader) throws(JSONError) -> [Element] {
        let dtype = field.dtype
        let range = dtype.range ?? Int64(Element.min)...Int64(Element.max)
        return try values(&reader) { (reader, into) throws(JSONError) in
            guard try reader.peek() == .number else { return try Self.other(&reader) }
            let number = try reader.number()
            guard let whole = Self.whole(number) else { return Self.shown(number) }
            guard range.contains(whole) else { return "\(whole), beyond \(range.lowerBound) to \(range.upperBound)" }
            into.append(Element(truncatingIfNeeded: whole))
            return nil
        }
    }

    private mutating func maps(_ reader: inout JSONReader) throws(JSONError) -> [[String: Tensor]] {
        var maps: [[String: Tensor]] = []
        var found: [ContractViolation] = []
        let (subfields, undeclared, prefix) = (field.subfields, undeclared, "\(path)\(field.name).")
        try walk(&reader) { (reader) throws(JSONError) in
            guard try reader.peek() == .object else { return try Self.other(&reader) }
            var object = ObjectReading(fields: subfields, undeclared: undeclared, path: prefix)
            try object.read(&reader)
            if found.count < 100 { found += object.violations }
            maps.append(object.tensors)
            return nil
        }
        // Objects in a list may break the contract in the same way, each of them.
        var seen: Set<ContractViolation> = []
        inner += found.filter { seen.insert($0).inserted }
        return maps
    }
}

// How one element is read: nil when it was appended, else what was found instead.
extension ValueReading {
    private static func double(_ reader: inout JSONReader, _ into: inout [Double]) throws(JSONError) -> String? {
        switch try reader.peek() {
        case .number: into.append(try reader.double())
        case .string:
            let text = try reader.string()
            guard let special = special(text) else { return "a string" }
            into.append(special)
        default: return try other(&reader)
        }
        return nil
    }

    private static func float(_ reader: inout JSONReader, _ into: inout [Float]) throws(JSONError) -> String? {
        var wide: [Double] = []
        if let problem = try double(&reader, &wide) { return problem }
        guard let value = wide.first else { return nil }
        let narrow = Float(value)
        guard narrow.isFinite || !value.isFinite else { return "\(value), beyond what a float holds" }
        into.append(narrow)
        return nil
    }

    private static func half(_ reader: inout JSONReader, _ into: inout [UInt16]) throws(JSONError) -> String? {
        var wide: [Double] = []
        if let problem = try double(&reader, &wide) { return problem }
        guard let value = wide.first else { return nil }
        let narrow = Float16(value)
        guard narrow.isFinite || !value.isFinite else { return "\(value), beyond what a half holds" }
        into.append(narrow.bitPattern)
        return nil
    }

    private static func int64(_ reader: inout JSONReader, _ into: inout [Int64]) throws(JSONError) -> String? {
        guard try reader.peek() == .number else { return try other(&reader) }
        let number = try reader.number()
        guard let whole = whole(number) else { return shown(number) }
        into.append(whole)
        return nil
    }

    private static func uint64(_ reader: inout JSONReader, _ into: inout [UInt64]) throws(JSONError) -> String? {
        guard try reader.peek() == .number else { return try other(&reader) }
        var ahead = reader
        do throws(JSONError) {
            into.append(try ahead.uint())
            reader = ahead
            return nil
        } catch {
            return shown(try reader.number())
        }
    }

    private static func bool(_ reader: inout JSONReader, _ into: inout [Bool]) throws(JSONError) -> String? {
        guard try reader.peek() == .bool else { return try other(&reader) }
        into.append(try reader.bool())
        return nil
    }

    private static func text(_ reader: inout JSONReader, _ into: inout [[UInt8]]) throws(JSONError) -> String? {
        guard try reader.peek() == .string else { return try other(&reader) }
        into.append(Array(try reader.string().utf8))
        return nil
    }

    private static func untyped(_ reader: inout JSONReader) throws(JSONError) -> String? {
        try reader.skip()
        return "JSON, which does not tell a type"
    }

    private static func other(_ reader: inout JSONReader) throws(JSONError) -> String {
        _ = try reader.peek()
        let found = reader.found
        try reader.skip()
        return found
    }

    private static func whole(_ number: JSONReader.Number) -> Int64? {
        switch number {
        case .int(let whole): whole
        case .double(let value): Int64(exactly: value)
        }
    }

    private static func shown(_ number: JSONReader.Number) -> String {
        switch number {
        case .int(let whole): "\(whole)"
        case .double(let value): "\(value)"
        }
    }

    private static func special(_ text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: nil
        }
    }
}
