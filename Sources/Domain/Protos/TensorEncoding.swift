// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract

/// How the bytes of one tensor are laid out.
package enum TensorEncoding: Hashable, Sendable {
    /// A `hydrosphere.serving.contract.Tensor`.
    case hydrosphere
    /// A `tensorflow.TensorProto`.
    case tensorflow
    /// The elements alone, row-major and little-endian, as Open Inference has them in `raw_input_contents`:
    /// a boolean is one byte, a string has its length before it in 4 bytes.
    case raw

    /// Whether tensors of the type can be put so.
    package func carries(_ dtype: DataType) -> Bool {
        switch (self, dtype) {
        case (_, .any), (_, .invalid), (.tensorflow, .map): false
        case (.raw, .map), (.raw, .complex64), (.raw, .complex128): false
        case (.raw, .qint8), (.raw, .qint16), (.raw, .qint32), (.raw, .quint8), (.raw, .quint16): false
        default: true
        }
    }

    /// What people call it.
    package var name: String {
        switch self {
        case .hydrosphere: "Hydrosphere"
        case .tensorflow: "TensorFlow"
        case .raw: "the Open Inference Protocol"
        }
    }
}
