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
        let began = ContinuousClock.now
        core.begin()
        defer { core.end() }
        var meters = core.unknown
        var metadata: WireHeaders = [:]
        do throws(GRPCStatus) {
            let reply = try await predict(request, began, &meters, &metadata)
            meters.count(.grpc, code: 0, took: .now - began)
            return .grpc(message: reply, metadata: metadata)
        } catch {
            meters.count(.grpc, code: error.code.rawValue, took: .now - began)
            return .grpc(status: error, metadata: metadata)
        }
    }

    private func predict(
        _ request: WireRequest, _ began: ContinuousClock.Instant, _ meters: inout RouteMeters, _ metadata: inout WireHeaders
    ) async throws(GRPCStatus) -> [UInt8] {
        guard let kind = Self.kind(of: request.path) else {
            throw GRPCStatus(
                .unimplemented, "wanted a method of hydrosphere.serving.gateway.GatewayService, found \"\(request.path.prefix(200))\"")
        }
        let message = try request.grpcMessage()
        var target: RouteTarget?
        do throws(PredictionError) {
            var prediction = Prediction(request, began: began, dice: core.dice)
            metadata.append("x-request-id", prediction.requestID.text)
            try prediction.heedTimeout()
            let asked = try Self.scan(message)
            let namespace = request.headers["hydro-namespace"] ?? core.defaultNamespace
            let named = RouteTarget(kind, ObjectKey(namespace, asked.name))
            target = named
            let route = try core.route(to: named)
            meters = route.meters
            let violations = route.signature.violations(ofInputs: asked.tensors.outlines)
            guard violations.isEmpty else { throw .invalidInput(violations) }
            return try await core.pipeline.run(prediction, asked.tensors, along: route).message()
        } catch {
            core.note(error, target, metadata["x-request-id"])
            throw GRPCStatus(error)
        }
    }

    private static func scan(_ message: ArraySlice<UInt8>) throws(PredictionError) -> GatewayRequest {
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
