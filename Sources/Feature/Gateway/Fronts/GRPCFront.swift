// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import Protos
import Telemetry
package import Wire

/// Predictions over gRPC: `hydrosphere.serving.gateway.GatewayService`.
///
/// The metadata `hydro-namespace` says where the name is looked up. A request's tensors pass to the model as they came.
package struct GRPCFront: WireHandler {
    let core: FrontCore

    package init(_ core: FrontCore) { self.core = core }

    package func respond(to request: WireRequest) async -> WireResponse {
        guard request.isGRPC else { return WireResponse(status: 415, text: "wanted gRPC, found another content-type") }
        var visit = core.open(.grpc)
        do throws(PredictionError) {
            let reply = try await predict(request, &visit)
            core.close(visit, code: 0)
            return .grpc(message: reply, metadata: Self.metadata(visit))
        } catch {
            let status = GRPCStatus(error)
            core.close(visit, code: status.code.rawValue, error)
            return .grpc(status: status, metadata: Self.metadata(visit))
        }
    }

    private func predict(_ request: WireRequest, _ visit: inout Visit) async throws(PredictionError) -> [UInt8] {
        guard let kind = Self.kind(of: request.path) else {
            throw .noSuchPath("wanted a method of hydrosphere.serving.gateway.GatewayService, found \"\(request.path.prefix(200))\"")
        }
        var prediction = Prediction(request, began: visit.began, dice: core.dice)
        visit.requestID = prediction.requestID.text
        try prediction.heedTimeout()
        let asked = try Self.scan(request)
        let namespace = request.headers["hydro-namespace"] ?? core.defaultNamespace
        visit.target = RouteTarget(kind, ObjectKey(namespace, asked.name))
        let answer = try await core.serve(prediction, &visit) { (_) throws(PredictionError) in asked.tensors }
        do throws(ProtoError) { return try answer.outputs.message() } catch {
            throw .brokenContract(model: asked.name, "\(error)")
        }
    }

    private static func metadata(_ visit: Visit) -> WireHeaders {
        visit.requestID.map { ["x-request-id": $0] } ?? [:]
    }

    private static func scan(_ request: WireRequest) throws(PredictionError) -> GatewayRequest {
        let message: ArraySlice<UInt8>
        do throws(GRPCStatus) { message = try request.grpcMessage() } catch { throw .badFrame(error) }
        do throws(ProtoError) { return try GatewayRequest(scanning: message) } catch {
            throw .malformed("the message wants a GatewayPredictRequest, got something else: \(error)")
        }
    }

    private static func kind(of path: String) -> RouteTarget.Kind? {
        switch path {
        case "/hydrosphere.serving.gateway.GatewayService/PredictApplication": .application
        // Nothing is copied to monitoring yet, so the two are the same.
        case "/hydrosphere.serving.gateway.GatewayService/PredictServable",
            "/hydrosphere.serving.gateway.GatewayService/ShadowlessPredictServable":
            .servable
        default: nil
        }
    }
}
