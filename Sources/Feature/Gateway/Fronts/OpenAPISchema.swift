// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import Protos

/// JSON schemas of signatures.
enum OpenAPISchema {
    /// Writes the members of an object schema with a property for every field.
    static func write(_ fields: [Field], isInput: Bool, to writer: inout JSONWriter) {
        writer.member("type", "object")
        writer.object("properties") { for field in fields { write(field, isInput: isInput, to: &$0) } }
        writer.array("required") { for field in fields { $0.string(field.name) } }
        // An answer may gain fields that are not declared yet; a request with them is refused.
        if isInput { writer.flag("additionalProperties", false) }
    }

    /// Writes the members of an object schema whose properties are all strings.
    static func writeStrings(_ names: [String], to writer: inout JSONWriter) {
        writer.member("type", "object")
        writer.object("properties") { for name in names { $0.object(name) { $0.member("type", "string") } } }
        writer.array("required") { for name in names { $0.string(name) } }
    }

    private static func write(_ field: Field, isInput: Bool, to writer: inout JSONWriter) {
        writer.object(field.name) {
            $0.member("description", field.wanted)
            guard let shape = field.shape else { return writeLoose(field, isInput: isInput, to: &$0) }
            var dims = shape.dims
            if field.dtype.isComplex { if let last = dims.popLast() { dims.append(last < 0 ? last : 2 * last) } else { dims = [2] } }
            guard isInput, dims.count > 1 else { return writeNested(dims[...], field, isInput: isInput, to: &$0) }
            $0.array("anyOf") {
                $0.object { writeNested(dims[...], field, isInput: isInput, to: &$0) }
                $0.object { writeNested([Shape(dims).count.map { Int64($0) } ?? -1], field, isInput: isInput, to: &$0) }
            }
        }
    }

    /// Without a shape a value may be one element or lists of any depth.
    private static func writeLoose(_ field: Field, isInput: Bool, to writer: inout JSONWriter) {
        writer.array("anyOf") {
            $0.object { writeElement(field, isInput: isInput, to: &$0) }
            $0.object { $0.member("type", "array") }
        }
    }

    private static func writeNested(_ dims: ArraySlice<Int64>, _ field: Field, isInput: Bool, to writer: inout JSONWriter) {
        guard let extent = dims.first else { return writeElement(field, isInput: isInput, to: &writer) }
        writer.member("type", "array")
        if extent >= 0 {
            writer.member("minItems", extent)
            writer.member("maxItems", extent)
        }
        writer.object("items") { writeNested(dims.dropFirst(), field, isInput: isInput, to: &$0) }
    }

    private static func writeElement(_ field: Field, isInput: Bool, to writer: inout JSONWriter) {
        switch field.dtype {
        case .string: writer.member("type", "string")
        case .bool: writer.member("type", "boolean")
        case .map: write(field.subfields, isInput: isInput, to: &writer)
        case .any, .invalid: break
        case .half, .float, .double, .complex64, .complex128:
            writer.array("anyOf") {
                $0.object { $0.member("type", "number") }
                $0.object { $0.array("enum") { for word in ["NaN", "Infinity", "-Infinity"] { $0.string(word) } } }
            }
        case .uint64: writeInteger(0, nil, to: &writer)
        case .int64: writeInteger(nil, nil, to: &writer)
        default: writeInteger(field.dtype.range?.lowerBound, field.dtype.range?.upperBound, to: &writer)
        }
    }

    private static func writeInteger(_ least: Int64?, _ most: Int64?, to writer: inout JSONWriter) {
        writer.member("type", "integer")
        if let least { writer.member("minimum", least) }
        if let most { writer.member("maximum", most) }
    }
}

// The Open Inference Protocol's own objects.
extension OpenAPISchema {
    static func writeOpenInference(_ signature: Signature, to writer: inout JSONWriter) {
        writer.object("InferRequest") {
            $0.member("type", "object")
            $0.object("properties") {
                writeCommon(to: &$0)
                writeTensors("inputs", signature.inputs, to: &$0)
                $0.object("outputs") {
                    $0.member("type", "array")
                    $0.object("items") { writeRequested(signature.outputs, to: &$0) }
                }
            }
            $0.array("required") { $0.string("inputs") }
        }
        writer.object("InferResponse") {
            $0.member("type", "object")
            $0.object("properties") {
                for name in ["model_name", "model_version"] { $0.object(name) { $0.member("type", "string") } }
                writeCommon(to: &$0)
                writeTensors("outputs", signature.outputs, to: &$0)
            }
            $0.array("required") { for name in ["model_name", "outputs"] { $0.string(name) } }
        }
        writer.object("ModelMetadata") { writeMetadata(to: &$0) }
        writer.object("TensorMetadata") { writeTensorMetadata(to: &$0) }
    }

    private static func writeCommon(to writer: inout JSONWriter) {
        writer.object("id") { $0.member("type", "string") }
        writer.object("parameters") {
            $0.member("type", "object")
            $0.object("additionalProperties") { $0.array("type") { for type in ["string", "number", "boolean"] { $0.string(type) } } }
        }
    }

    private static func writeTensors(_ name: String, _ fields: [Field], to writer: inout JSONWriter) {
        writer.object(name) {
            $0.member("type", "array")
            guard !fields.isEmpty else { return $0.member("maxItems", 0) }
            $0.object("items") { $0.array("anyOf") { for field in fields { writeTensor(field, to: &$0) } } }
        }
    }

    private static func writeTensor(_ field: Field, to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "object")
            $0.object("properties") {
                $0.object("name") { $0.member("const", field.name) }
                $0.object("datatype") {
                    if let name = field.dtype.openInferenceName { $0.member("const", name) } else { $0.member("type", "string") }
                }
                $0.object("shape") { writeShape(field.shape, to: &$0) }
                $0.object("parameters") { $0.member("type", "object") }
                $0.object("data") { $0.member("type", "array") }
            }
            $0.array("required") { for name in ["name", "datatype", "shape"] { $0.string(name) } }
        }
    }

    private static func writeShape(_ shape: Shape?, to writer: inout JSONWriter) {
        writer.member("type", "array")
        guard let dims = shape?.dims else { return writer.object("items") { $0.member("type", "integer") } }
        writer.member("minItems", Int64(dims.count))
        writer.member("maxItems", Int64(dims.count))
        guard !dims.isEmpty else { return }
        writer.array("prefixItems") {
            for dim in dims { $0.object { if dim >= 0 { $0.member("const", dim) } else { writeInteger(0, nil, to: &$0) } } }
        }
    }

    private static func writeRequested(_ fields: [Field], to writer: inout JSONWriter) {
        writer.member("type", "object")
        writer.object("properties") {
            $0.object("name") { $0.array("enum") { for field in fields { $0.string(field.name) } } }
            $0.object("parameters") { $0.member("type", "object") }
        }
        writer.array("required") { $0.string("name") }
    }

    private static func writeMetadata(to writer: inout JSONWriter) {
        writer.member("type", "object")
        writer.object("properties") {
            for name in ["name", "platform"] { $0.object(name) { $0.member("type", "string") } }
            $0.object("versions") {
                $0.member("type", "array")
                $0.object("items") { $0.member("type", "string") }
            }
            for name in ["inputs", "outputs"] {
                $0.object(name) {
                    $0.member("type", "array")
                    $0.object("items") { $0.member("$ref", "#/components/schemas/TensorMetadata") }
                }
            }
        }
        writer.array("required") { for name in ["name", "platform", "inputs", "outputs"] { $0.string(name) } }
    }

    private static func writeTensorMetadata(to writer: inout JSONWriter) {
        writer.member("type", "object")
        writer.object("properties") {
            for name in ["name", "datatype"] { $0.object(name) { $0.member("type", "string") } }
            $0.object("shape") {
                $0.member("type", "array")
                $0.object("items") { $0.member("type", "integer") }
            }
        }
        writer.array("required") { for name in ["name", "datatype", "shape"] { $0.string(name) } }
    }
}
