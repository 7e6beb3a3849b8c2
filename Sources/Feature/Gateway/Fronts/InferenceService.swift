// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import OpenInference
import Protos
import Wire

/// The Open Inference Protocol over gRPC, `inference.GRPCInferenceService`, with what its two larger servers have beside it.
struct InferenceService: Sendable {
    static let infer = "/inference.GRPCInferenceService/ModelInfer"
    static let streamInfer = "/inference.GRPCInferenceService/ModelStreamInfer"

    let core: FrontCore

    /// `ModelInfer`.
    func infer(_ visit: inout GRPCVisit) async throws(PredictionError) -> [UInt8] {
        let asked = try visit.scanned("ModelInferRequest") { (bytes) throws(ProtoError) in try InferRequest(scanning: bytes) }
        let response = try await answer(asked, &visit)
        return try Self.written(response) { (response) throws(ProtoError) in try response.message(isRaw: asked.isRaw) }
    }

    /// `ModelStreamInfer`: each message is answered in turn, an error as `error_message`, and the stream goes on.
    func infer(_ stream: GRPCStream) async -> GRPCStatus {
        do throws(GRPCStatus) {
            while let message = try await stream.next() { try await stream.send(await reply(to: message, of: stream.request)) }
            return GRPCStatus(.ok, "")
        } catch { return error }
    }

    private func reply(to message: [UInt8], of head: WireRequest) async -> [UInt8] {
        var visit = GRPCVisit(core, head, .success(message[...]))
        do throws(PredictionError) {
            try visit.prediction.heedTimeout()
            let asked = try visit.scanned("ModelInferRequest") { (bytes) throws(ProtoError) in try InferRequest(scanning: bytes) }
            let response = try await answer(asked, &visit)
            let bytes = try Self.written(response) { (response) throws(ProtoError) in
                try InferResponse.streamed(.success(response), isRaw: asked.isRaw)
            }
            core.close(visit.visit, code: 0)
            return bytes
        } catch {
            core.close(visit.visit, code: GRPCStatus(error).code.rawValue, error)
            return InferAnswers.streamed(error: "\(error)")
        }
    }

    private func answer(_ asked: InferRequest, _ visit: inout GRPCVisit) async throws(PredictionError) -> InferResponse {
        visit.look(for: .application, asked.model, orServable: true)
        visit.visit.version = try ModelVersionText.number(asked.version)
        let answer = try await core.serve(visit.prediction, &visit.visit) { (route) throws(PredictionError) in
            if let strange = asked.strangeOutput(among: route.signature.outputs) { throw .malformed("\(strange)") }
            return asked.inputs
        }
        return InferResponse(
            model: asked.model, version: "\(answer.version)", id: asked.id, parameters: answer.outputs.beside.parameters,
            outputs: asked.picked(from: answer.outputs))
    }

    private static func written(
        _ response: InferResponse, _ write: (InferResponse) throws(ProtoError) -> [UInt8]
    ) throws(PredictionError) -> [UInt8] {
        do throws(ProtoError) { return try write(response) } catch {
            throw .notOffered("\"\(response.model)\" cannot be asked over this protocol: \(error)")
        }
    }
}

// What is asked beside predictions.
extension InferenceService {
    private static let prefix = "/inference.GRPCInferenceService/"

    /// The answer to a call that is no prediction; nil for a method that is not known.
    func answer(_ request: WireRequest, in namespace: String) throws(PredictionError) -> [UInt8]? {
        guard request.path.hasPrefix(Self.prefix) else { return nil }
        let models = ModelCatalogue(core: core, namespace: namespace)
        switch request.path.dropFirst(Self.prefix.count) {
        case "ServerLive": return InferAnswers.flag(true)
        case "ServerReady": return InferAnswers.flag(core.isReady)
        case "ServerMetadata":
            return InferAnswers.server(
                name: GatewayIdentity.name, version: GatewayIdentity.version, extensions: GatewayIdentity.extensions)
        case "ModelReady":
            let asked = try Self.question(request)
            return InferAnswers.flag(try models.isReady(asked.name, asked.version))
        case "ModelMetadata":
            let asked = try Self.question(request)
            return try models.description(of: asked.name, asked.version).message()
        case "ModelStatistics":
            let asked = try Self.question(request)
            return ModelStatistics.message(try models.statistics(of: asked.name, asked.version))
        case "RepositoryIndex":
            let asked = try Self.scanned(request) { (bytes) throws(ProtoError) in try RepositoryQuestion(scanning: bytes) }
            return ModelIndexEntry.message(models.index(isReadyOnly: asked.isReadyOnly))
        case "RepositoryModelLoad", "RepositoryModelUnload": throw .notOffered(ModelCatalogue.declared)
        case "ModelConfig", "TraceSetting", "LogSettings", "SystemSharedMemoryStatus", "SystemSharedMemoryRegister",
            "SystemSharedMemoryUnregister", "CudaSharedMemoryStatus", "CudaSharedMemoryRegister", "CudaSharedMemoryUnregister":
            throw .notOffered(ModelCatalogue.foreign("\(request.path.dropFirst(Self.prefix.count))"))
        default: return nil
        }
    }

    private static func question(_ request: WireRequest) throws(PredictionError) -> ModelQuestion {
        try scanned(request) { (bytes) throws(ProtoError) in try ModelQuestion(scanning: bytes) }
    }

    private static func scanned<Message>(
        _ request: WireRequest, _ scan: (ArraySlice<UInt8>) throws(ProtoError) -> Message
    ) throws(PredictionError) -> Message {
        let bytes: ArraySlice<UInt8>
        do throws(GRPCStatus) { bytes = try request.grpcMessage() } catch { throw .badFrame(error) }
        do throws(ProtoError) { return try scan(bytes) } catch { throw .malformed("\(error)") }
    }
}

/// A version as the Open Inference Protocol writes it.
enum ModelVersionText {
    /// The number; nil for no version.
    static func number(_ text: String?) throws(PredictionError) -> Int? {
        guard let text, !text.isEmpty else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw .malformed("the version wants a whole number, found \"\(text.prefix(100))\"")
        }
        return number
    }
}
