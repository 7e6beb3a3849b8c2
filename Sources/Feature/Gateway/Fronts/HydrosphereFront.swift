// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import KubeCore
import Protos
import Telemetry
import Wire

/// Hydrosphere's HTTP: predictions with a JSON object in and a JSON object out, and what is there to be asked.
struct HydrosphereFront: Sendable {
    let core: FrontCore

    /// `POST /gateway/application/{name}` and `POST /gateway/servable/{name}`.
    func predict(_ request: WireRequest, _ target: RouteTarget) async -> WireResponse {
        var visit = core.open(.http)
        do throws(PredictionError) {
            let body = try await predict(request, target, &visit)
            return await core.answer(request, visit, body)
        } catch { return core.refuse(error, visit, as: .hydrosphere) }
    }

    private func predict(_ request: WireRequest, _ target: RouteTarget, _ visit: inout Visit) async throws(PredictionError) -> [UInt8] {
        var prediction = Prediction(request, began: visit.began, dice: core.dice)
        visit.identify(prediction)
        try request.mustBe("POST")
        try prediction.heedTimeout()
        visit.target = target
        let body = try await core.body(of: request, for: &visit)
        let answer = try await core.serve(prediction, &visit) { (route) throws(PredictionError) in
            do throws(TensorJSONError) { return WireTensors(try TensorJSON.read(body, as: route.signature.inputs)) } catch {
                switch error {
                case .malformed(let reason): throw .malformed("the body wants one JSON object of fields, got something else: \(reason)")
                case .violations(let violations): throw .invalidInput(violations)
                }
            }
        }
        do throws(ProtoError) { return TensorJSON.write(try answer.outputs.tensors(), as: answer.route.signature.outputs) } catch {
            throw .brokenContract(model: answer.route.target.key.name, "\(error)")
        }
    }

    /// `GET …/{name}/generateInputs`: an example of what to post.
    func sample(_ request: WireRequest, _ target: RouteTarget) -> WireResponse {
        core.page(request, as: .hydrosphere) { () throws(PredictionError) in
            let signature = try core.route(to: target).signature
            return TensorJSON.write(signature.sampleInputs(), as: signature.inputs)
        }
    }

    /// `GET /gateway/application`: what is served in a namespace, in order of the names.
    func applications(_ request: WireRequest, in namespace: String) -> WireResponse {
        core.page(request, as: .hydrosphere) {
            var writer = JSONWriter()
            writer.beginArray()
            for (name, state) in core.applications(in: namespace) { Self.write(name, namespace, state, to: &writer) }
            writer.endArray()
            return writer.bytes
        }
    }

    private static func write(_ name: String, _ namespace: String, _ state: RouteState, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(name)
        writer.key("namespace")
        writer.string(namespace)
        switch state {
        case .serving(let route):
            writer.key("status")
            writer.string("Ready")
            writer.key("signature")
            route.signature.write(to: &writer)
            writer.key("stages")
            writer.beginArray()
            for stage in route.stages { write(stage, to: &writer) }
            writer.endArray()
        case .waiting(let reason):
            writer.key("status")
            writer.string("Assembling")
            writer.key("message")
            writer.string(reason)
        }
        writer.endObject()
    }

    private static func write(_ stage: Route.Stage, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(stage.name)
        writer.key("signature")
        stage.signature.write(to: &writer)
        writer.key("variants")
        writer.beginArray()
        for variant in stage.variants {
            writer.beginObject()
            writer.key("servable")
            writer.string(variant.servable.name)
            writer.key("modelVersion")
            writer.string(variant.model)
            writer.key("weight")
            writer.int(variant.weight)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}

extension FrontCore {
    /// The applications of a namespace, in order of their names.
    func applications(in namespace: String) -> [(name: String, state: RouteState)] {
        table.all.filter { $0.key.kind == .application && $0.key.key.namespace == namespace }
            .map { ($0.key.key.name, $0.value) }.sorted { $0.0 < $1.0 }
    }
}
