// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import Protos

/// A request's JSON on its way to a call.
struct CallReading {
    private var id = ""
    private var parameters = InferParameters.none
    private var entries: [WireTensors.Entry] = []
    private var outputs: [RequestedOutput] = []
    private var isBinary = false
    private var choices: [String: Bool] = [:]
    /// What of the binary part is still nobody's.
    private var rest: ArraySlice<UInt8>
    private var problems: [String] = []
    private var hasInputs = false

    /// A hostile body can be wrong as often as it likes; a person needs a few of its ways.
    private static let most = 20

    init(binary: ArraySlice<UInt8>) { rest = binary }

    func call() throws(OpenInferenceError) -> InferCall {
        var problems = problems
        if problems.isEmpty, !hasInputs { problems.append("wanted a member \"inputs\", found none") }
        if problems.isEmpty, !rest.isEmpty {
            problems.append("wanted a tensor for every byte after the JSON, found \(rest.count) bytes more")
        }
        guard problems.isEmpty else { throw OpenInferenceError(problems.joined(separator: "; ")) }
        return InferCall(
            InferRequest(id: id, parameters: parameters, inputs: WireTensors(entries: entries), outputs: outputs),
            isBinary: isBinary, binary: choices)
    }

    mutating func read(_ json: ArraySlice<UInt8>) throws(OpenInferenceError) {
        do throws(JSONError) {
            try JSONReader.read(json) { (reader) throws(JSONError) in try members(&reader) }
        } catch { throw OpenInferenceError("wanted an inference request, found something else: \(error)") }
    }

    private mutating func note(_ problem: String) { if problems.count < Self.most { problems.append(problem) } }

    private mutating func members(_ reader: inout JSONReader) throws(JSONError) {
        var seen = KeySet()
        try reader.object { (reader, key) throws(JSONError) in
            if key.reads("inputs") {
                try seen.add(0, "inputs", reader)
                hasInputs = true
                try inputs(&reader)
            } else if key.reads("outputs") {
                try seen.add(1, "outputs", reader)
                if try !reader.nullIfPresent() { try requests(&reader) }
            } else if key.reads("id") {
                try seen.add(2, "id", reader)
                if try !reader.nullIfPresent() { id = try reader.string() }
            } else if key.reads("parameters") {
                try seen.add(3, "parameters", reader)
                var given = try ParameterReading(&reader)
                isBinary = given.takeFlag("binary_data_output") ?? false
                parameters = given.parameters
                for problem in given.problems { note(problem) }
            } else {
                return false
            }
            return true
        }
    }

    private mutating func inputs(_ reader: inout JSONReader) throws(JSONError) {
        try reader.array { (reader, place) throws(JSONError) in
            var tensor = TensorReading()
            try tensor.read(&reader)
            let name = tensor.name
            guard let name else { return note("inputs[\(place)]: wanted a name, found none") }
            guard !entries.contains(where: { $0.name == name }) else {
                return note("tensor \"\(name)\": wanted one tensor of the name, found a second one")
            }
            guard entries.count < WireTensors.maxEntries else {
                throw reader.failure("wanted at most \(WireTensors.maxEntries) tensors, found more")
            }
            do throws(ProtoError) { entries.append(try tensor.entry(taking: &rest)) } catch { note(error.of(tensor: name).description) }
        }
    }

    private mutating func requests(_ reader: inout JSONReader) throws(JSONError) {
        try reader.array { (reader, place) throws(JSONError) in
            var output = RequestedOutput("")
            var seen = KeySet()
            var choice: Bool?
            try reader.object { (reader, key) throws(JSONError) in
                if key.reads("name") {
                    try seen.add(0, "name", reader)
                    output.name = try reader.string()
                } else if key.reads("parameters") {
                    try seen.add(1, "parameters", reader)
                    var given = try ParameterReading(&reader)
                    choice = given.takeFlag("binary_data")
                    output.parameters = given.parameters
                    for problem in given.problems { note("outputs[\(place)]: \(problem)") }
                } else {
                    return false
                }
                return true
            }
            guard seen.has(0) else { return note("outputs[\(place)]: wanted a name, found none") }
            guard outputs.count < WireTensors.maxEntries else {
                throw reader.failure("wanted at most \(WireTensors.maxEntries) outputs, found more")
            }
            if let choice { choices[output.name] = choice }
            outputs.append(output)
        }
    }
}

/// Which of an object's known members have come.
struct KeySet {
    private var bits: UInt8 = 0

    mutating func add(_ place: UInt8, _ name: StaticString, _ reader: JSONReader) throws(JSONError) {
        guard bits & 1 << place == 0 else { throw reader.failure("wanted one member \"\(name)\", found a second one") }
        bits |= 1 << place
    }

    func has(_ place: UInt8) -> Bool { bits & 1 << place != 0 }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether a key is this name.
    func reads(_ name: StaticString) -> Bool {
        count == name.utf8CodeUnitCount && elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: count))
    }
}

/// A `parameters` object on its way in.
struct ParameterReading {
    private(set) var parameters = InferParameters.none
    private(set) var problems: [String] = []
    private var values: [(name: String, value: InferParameters.Value)] = []

    init(_ reader: inout JSONReader) throws(JSONError) {
        if try reader.nullIfPresent() { return }
        var values: [(name: String, value: InferParameters.Value)] = []
        var problems: [String] = []
        try reader.object { (reader, key) throws(JSONError) in
            let name = String(decoding: key, as: UTF8.self)
            guard !values.contains(where: { $0.name == name }) else {
                throw reader.failure("wanted one member \"\(name)\", found a second one")
            }
            guard values.count < InferParameters.most else {
                throw reader.failure("wanted at most \(InferParameters.most) parameters, found more")
            }
            switch try reader.peek() {
            case .bool: values.append((name, .bool(try reader.bool())))
            case .string: values.append((name, .string(try reader.string())))
            case .number: values.append((name, try Self.number(&reader)))
            case .array, .object, .null:
                let found = reader.found
                problems.append("parameter \"\(name)\": wanted a string, a number or a boolean, found \(found)")
                return false
            }
            return true
        }
        self.values = values
        self.problems = Array(problems.prefix(4))
        parameters = InferParameters(values)
    }

    private static func number(_ reader: inout JSONReader) throws(JSONError) -> InferParameters.Value {
        var ahead = reader
        switch try reader.number() {
        case .int(let whole): return .int(whole)
        case .double(let value):
            // Between 2^63 and 2^64 a whole number is a double to the reader, and exact as an unsigned one.
            guard value >= 0x1p63, value <= 0x1p64, let whole = try? ahead.uint() else { return .double(value) }
            return .uint(whole)
        }
    }

    /// Takes out a parameter that says how the body is put together, and not what is asked of the model.
    mutating func takeFlag(_ name: String) -> Bool? {
        guard let value = take(name) else { return nil }
        if case .bool(let flag) = value { return flag }
        problems.append("parameter \"\(name)\": wanted a boolean, found something else")
        return nil
    }

    mutating func takeSize(_ name: String) -> Int? {
        guard let value = take(name) else { return nil }
        if case .int(let size) = value, size >= 0 { return Int(size) }
        problems.append("parameter \"\(name)\": wanted a count of bytes, found something else")
        return nil
    }

    private mutating func take(_ name: String) -> InferParameters.Value? {
        guard let place = values.firstIndex(where: { $0.name == name }) else { return nil }
        let value = values.remove(at: place).value
        parameters = InferParameters(values)
        return value
    }
}
