// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import OpenInference
import Protos
import Telemetry
import Wire

// Predictions.
extension OpenInferenceFront {
    /// `POST /v2/models/{name}[/versions/{version}]/infer`
    func infer(_ request: WireRequest, _ name: String, _ version: String?, in namespace: String) async -> WireResponse {
        var visit = core.open(.http)
        visit.target = RouteTarget(.application, ObjectKey(namespace, name))
        visit.mayBeServable = true
        do throws(PredictionError) {
            let answer = try await infer(request, name, version, &visit)
            var headers = WireHeaders()
            headers.reserve()
            headers.append("content-type", answer.contentType)
            if let length = answer.jsonLength { headers.append(Self.lengthHeader, "\(length)") }
            return await core.answer(request, visit, answer.body, headers: headers)
        } catch { return core.refuse(error, visit, as: .openInference) }
    }

    private static let lengthHeader = "inference-header-content-length"

    private func infer(
        _ request: WireRequest, _ name: String, _ version: String?, _ visit: inout Visit
    ) async throws(PredictionError) -> InferAnswer {
        var prediction = Prediction(request, began: visit.began, dice: core.dice)
        visit.requestID = prediction.requestID.text
        try request.mustBe("POST")
        try prediction.heedTimeout()
        visit.version = try ModelVersionText.number(version)
        let body = try await core.body(of: request, for: &visit)
        let length = try Self.jsonLength(of: request)
        var call = InferCall(InferRequest(inputs: WireTensors()))
        let answer = try await core.serve(prediction, &visit) { (route) throws(PredictionError) in
            do throws(OpenInferenceError) {
                call = try InferCall(body: body[...], jsonLength: length, inputs: route.signature.inputs)
                if let strange = call.strangeOutput(among: route.signature.outputs) { throw strange }
            } catch { throw .malformed("\(error)") }
            return call.request.inputs
        }
        let response = InferResponse(
            model: name, version: "\(answer.version)", id: call.request.id, parameters: answer.outputs.beside.parameters,
            outputs: answer.outputs)
        do throws(OpenInferenceError) { return try InferAnswer(response, for: call) } catch {
            throw .notOffered("\(answer.route.target) cannot answer over this protocol: \(error)")
        }
    }

    /// How much of the body is JSON, where binary tensors follow it.
    private static func jsonLength(of request: WireRequest) throws(PredictionError) -> Int? {
        guard let text = request.headers[lengthHeader] else { return nil }
        guard let length = Int(text), length >= 0 else {
            throw .malformed("header \"\(lengthHeader)\" wants a number of bytes, got \"\(text.prefix(100))\"")
        }
        return length
    }
}
