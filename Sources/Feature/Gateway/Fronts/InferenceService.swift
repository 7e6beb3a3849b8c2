// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import OpenInference
import Protos
import SwiftProtobuf
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
                try response.streamed(isRaw: asked.isRaw)
            }
            core.close(visit.visit, code: 0)
            return bytes
        } catch {
            core.close(visit.visit, code: GRPCStatus(error).code.rawValue, error)
            return InferResponse.streamed(error: "\(error)")
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
        let method = request.path.dropFirst(Self.prefix.count)
        let models = ModelCatalogue(core: core, namespace: namespace)
        switch method {
        case "ServerLive": return try Self.bytes(of: Inference_ServerLiveResponse.with { $0.live = true })
        case "ServerReady": return try Self.bytes(of: Inference_ServerReadyResponse.with { $0.ready = core.isReady })
        case "ServerMetadata": return try Self.bytes(of: GatewayIdentity.metadata)
        case "ModelReady":
            let asked = try Self.read(Inference_ModelReadyRequest.self, request)
            let isReady = try models.isReady(asked.name, asked.version)
            return try Self.bytes(of: Inference_ModelReadyResponse.with { $0.ready = isReady })
        case "ModelMetadata":
            let asked = try Self.read(Inference_ModelMetadataRequest.self, request)
            return try Self.bytes(of: try models.metadata(of: asked.name, asked.version))
        case "ModelStatistics":
            let asked = try Self.read(Inference_ModelStatisticsRequest.self, request)
            let all = try models.statistics(of: asked.name, asked.version)
            return try Self.bytes(of: Inference_ModelStatisticsResponse.with { $0.modelStats = all })
        case "RepositoryIndex":
            let asked = try Self.read(Inference_RepositoryIndexRequest.self, request)
            return try Self.bytes(of: Inference_RepositoryIndexResponse.with { $0.models = models.index(isReadyOnly: asked.ready) })
        case "RepositoryModelLoad", "RepositoryModelUnload": throw .notOffered(ModelCatalogue.declared)
        case "ModelConfig", "TraceSetting", "LogSettings", "SystemSharedMemoryStatus", "SystemSharedMemoryRegister",
            "SystemSharedMemoryUnregister", "CudaSharedMemoryStatus", "CudaSharedMemoryRegister", "CudaSharedMemoryUnregister":
            throw .notOffered(ModelCatalogue.foreign(String(method)))
        default: return nil
        }
    }

    private static func read<Asked: Message>(_ type: Asked.Type, _ request: WireRequest) throws(PredictionError) -> Asked {
        let bytes: ArraySlice<UInt8>
        do throws(GRPCStatus) { bytes = try request.grpcMessage() } catch { throw .badFrame(error) }
        do { return try Asked(serializedBytes: Array(bytes)) } catch {
            throw .malformed("the message wants a \(Asked.protoMessageName), got something else: \(error)")
        }
    }

    private static func bytes(of answer: some Message) throws(PredictionError) -> [UInt8] {
        do { return try answer.serializedBytes() } catch { throw .notOffered("the answer cannot be written: \(error)") }
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
