// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
import SwiftProtobuf

extension Signature {
    /// The binary `ModelSignature` that an image carries at `/model/contract.protobin`. Equal signatures give equal bytes.
    package func protobin() throws -> [UInt8] {
        var message = Hydrosphere_Serving_Contract_ModelSignature()
        message.signatureName = name
        message.inputs = inputs.map(\.message)
        message.outputs = outputs.map(\.message)
        return try message.serializedBytes()
    }

    /// Reads a binary `ModelSignature`.
    package init(protobin bytes: [UInt8]) throws {
        let message = try Hydrosphere_Serving_Contract_ModelSignature(serializedBytes: bytes)
        self.init(name: message.signatureName, inputs: message.inputs.map(Field.init), outputs: message.outputs.map(Field.init))
    }
}

extension Field {
    fileprivate var message: Hydrosphere_Serving_Contract_ModelField {
        var message = Hydrosphere_Serving_Contract_ModelField()
        message.name = name
        if let shape { message.shape.dims = shape.dims }
        if dtype == .map {
            message.subfields.data = subfields.map(\.message)
        } else {
            message.dtype = Hydrosphere_Serving_Contract_DataType(rawValue: dtype.number) ?? .dtInvalid
        }
        if let profile { message.profile = Hydrosphere_Serving_Contract_DataProfileType(rawValue: profile.number) ?? .none }
        return message
    }

    fileprivate init(_ message: Hydrosphere_Serving_Contract_ModelField) {
        let dtype: DataType
        var subfields: [Field] = []
        switch message.typeOrSubfields {
        case .subfields(let map):
            dtype = .map
            subfields = map.data.map(Field.init)
        case .dtype(let type): dtype = DataType(number: type.rawValue)
        case nil: dtype = .invalid
        }
        let profile = ProfileType(number: message.profile.rawValue)
        self.init(
            message.name, dtype, message.hasShape ? Shape(message.shape.dims) : nil, profile: profile == .none ? nil : profile,
            subfields: subfields)
    }
}
