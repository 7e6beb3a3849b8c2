// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import FoundationEssentials
import Protos
import SwiftProtobuf
import Wire

/// gRPC server reflection: tells callers what the services and messages of this port are.
///
/// Versions v1 and v1alpha, whose messages are the same.
struct ReflectionService: Sendable {
    static let latest = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    static let alpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

    /// The services that the port has; the descriptors know others too, which models have.
    static let services = [
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
        "hydrosphere.serving.gateway.GatewayService", "inference.GRPCInferenceService", "tensorflow.serving.PredictionService",
    ]

    /// Answers each question of the stream in turn.
    func answer(_ stream: GRPCStream) async -> GRPCStatus {
        do throws(GRPCStatus) {
            while let message = try await stream.next() { try await stream.send(try Self.reply(to: message)) }
            return GRPCStatus(.ok, "")
        } catch { return error }
    }

    static func reply(to message: [UInt8]) throws(GRPCStatus) -> [UInt8] {
        do {
            let asked = try Grpc_Reflection_V1_ServerReflectionRequest(serializedBytes: message)
            var reply = Grpc_Reflection_V1_ServerReflectionResponse()
            reply.validHost = asked.host
            reply.originalRequest = asked
            reply.messageResponse = answer(to: asked)
            return try reply.serializedBytes()
        } catch { throw GRPCStatus(.invalidArgument, "the message wants a ServerReflectionRequest, got something else: \(error)") }
    }

    private static func answer(
        to asked: Grpc_Reflection_V1_ServerReflectionRequest
    ) -> Grpc_Reflection_V1_ServerReflectionResponse.OneOf_MessageResponse {
        switch asked.messageRequest {
        case .listServices:
            var list = Grpc_Reflection_V1_ListServiceResponse()
            list.service = services.map { name in
                var service = Grpc_Reflection_V1_ServiceResponse()
                service.name = name
                return service
            }
            return .listServicesResponse(list)
        case .fileByFilename(let name): return files(Descriptors.all.files(named: name), "file \"\(name.prefix(200))\"")
        case .fileContainingSymbol(let name): return files(Descriptors.all.files(defining: name), "symbol \"\(name.prefix(200))\"")
        case .fileContainingExtension, .allExtensionNumbersOfType: return missing(.notFound, "there are no extensions")
        case nil: return missing(.invalidArgument, "wanted a question, found none")
        }
    }

    private static func files(
        _ found: [[UInt8]]?, _ wanted: String
    ) -> Grpc_Reflection_V1_ServerReflectionResponse.OneOf_MessageResponse {
        guard let found else { return missing(.notFound, "found no \(wanted)") }
        var response = Grpc_Reflection_V1_FileDescriptorResponse()
        response.fileDescriptorProto = found.map { Data($0) }
        return .fileDescriptorResponse(response)
    }

    private static func missing(
        _ code: GRPCCode, _ reason: String
    ) -> Grpc_Reflection_V1_ServerReflectionResponse.OneOf_MessageResponse {
        var response = Grpc_Reflection_V1_ErrorResponse()
        response.errorCode = Int32(code.rawValue)
        response.errorMessage = reason
        return .errorResponse(response)
    }
}
