// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// One named input or output of a model.
package struct Field: JSONRecord, Hashable {
    package var name: String
    package var dtype: DataType
    /// Nil: the shape is not checked.
    package var shape: Shape?
    /// What the field means, for monitoring.
    package var profile: ProfileType?
    /// The fields of a map.
    package var subfields: [Field]

    package init(_ name: String, _ dtype: DataType, _ shape: Shape? = nil, profile: ProfileType? = nil, subfields: [Field] = []) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.profile = profile
        self.subfields = subfields
    }

    package init() { self.init("", .invalid) }

    package static let fields: JSONFields<Field> = [
        .init("name", \.name), .init("dtype", \.dtype), .init("shape", \.shape), .init("profile", \.profile),
        .init("subfields", \.subfields),
    ]

    /// Type and shape as messages show them: `int64 [1]`.
    package var wanted: String { shape.map { "\(dtype.rawValue) \($0)" } ?? dtype.rawValue }
}

/// What goes into a model and what comes out, by name.
package struct Signature: JSONRecord, Hashable {
    /// Also the name of the function to call in a Python model.
    package var name: String
    package var inputs: [Field]
    package var outputs: [Field]

    package static let defaultName = "predict"

    package init(name: String = Signature.defaultName, inputs: [Field], outputs: [Field]) {
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
    }

    package init() { self.init(inputs: [], outputs: []) }

    package static let fields: JSONFields<Signature> = [
        .init("name", \.name), .init("inputs", \.inputs), .init("outputs", \.outputs),
    ]
}
