// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import HydroAPI
package import Protos
package import Wire

/// What the pods of a model speak: where they are asked, how a request is written, and how an answer is read.
///
/// Tensors that came in the encoding that the pods take pass by bytes, whatever the message around them.
package enum Dialect: Sendable, CaseIterable {
    /// `hydrosphere.serving.runtime.PredictionService`.
    case hydrosphere
    /// `tensorflow.serving.PredictionService`.
    case tensorflow
    /// `inference.GRPCInferenceService`, with raw contents.
    case openInference

    package init(_ spoken: RuntimeProtocol) {
        switch spoken {
        case .hydrosphere: self = .hydrosphere
        case .tensorflow: self = .tensorflow
        case .openInference: self = .openInference
        }
    }

    /// The method that predicts, as gRPC names it.
    package var path: String {
        switch self {
        case .hydrosphere: "/hydrosphere.serving.runtime.PredictionService/Predict"
        case .tensorflow: "/tensorflow.serving.PredictionService/Predict"
        case .openInference: "/inference.GRPCInferenceService/ModelInfer"
        }
    }

    /// The message for a pod. An error names the tensor that the protocol cannot carry.
    ///
    /// Cost: one copy of the values; one more pass over those whose encoding differs.
    package func request(
        _ inputs: WireTensors, to model: Addressee, wanting outputs: [Field], beside: InferBeside
    ) throws(ProtoError) -> [UInt8] {
        switch self {
        case .hydrosphere:
            return try inputs.message()
        case .tensorflow:
            // Without a version the server takes the one that it has.
            let spec = ModelSpec(name: model.name, signature: model.signature)
            return try TensorFlowRequest(model: spec, inputs: inputs, wanted: outputs.map(\.name)).message()
        case .openInference:
            return try InferRequest(
                model: model.name, id: beside.id, parameters: beside.parameters, inputs: inputs,
                outputs: outputs.map { RequestedOutput($0.name) }
            ).message()
        }
    }

    /// A pod's answer, with what it says beside where its protocol has a place for that.
    package func answer(_ message: ArraySlice<UInt8>) throws(ProtoError) -> WireTensors {
        switch self {
        case .hydrosphere: return try WireTensors(scanning: message)
        case .tensorflow: return try TensorFlowResponse(scanning: message).outputs
        case .openInference: return try InferResponse(scanning: message).outputs
        }
    }

    /// What a pod's own error means to a caller.
    ///
    /// Where pods are told a model's name, not to know it is theirs to mend: the caller named something else, which is there.
    package func status(_ status: GRPCStatus, of model: Addressee) -> GRPCStatus {
        guard self != .hydrosphere, status.code == .notFound else { return status }
        return GRPCStatus(.unavailable, "its server does not serve \"\(model.name)\": \(status.message)")
    }
}

/// By which names a pod knows what it serves: what the operator told its container in `MODEL_NAME`, and its signature.
package struct Addressee: Hashable, Sendable {
    package var name: String
    package var signature: String

    package init(name: String, signature: String) {
        self.name = name
        self.signature = signature
    }
}
