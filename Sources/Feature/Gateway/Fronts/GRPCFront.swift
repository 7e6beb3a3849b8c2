// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
import Protos
import Telemetry
package import Wire

/// The gRPC port: hands each call to the front that its service belongs to.
///
/// The metadata `hydro-namespace` says where names are looked up. A request's tensors pass to the model as they came.
package struct GRPCFront: WireHandler {
    let core: FrontCore
    private let inference: InferenceService
    private let reflection = ReflectionService()

    package init(_ core: FrontCore) {
        self.core = core
        inference = InferenceService(core: core)
    }

    package func respond(to request: WireRequest) async -> WireResponse {
        guard request.isGRPC else { return WireResponse(status: 415, text: "wanted gRPC, found another content-type") }
        switch request.path {
        case InferenceService.infer: return await predict(request, .openInference)
        case "/hydrosphere.serving.gateway.GatewayService/PredictApplication": return await predict(request, .hydrosphere(.application))
        case "/hydrosphere.serving.gateway.GatewayService/PredictServable": return await predict(request, .hydrosphere(.servable))
        case "/hydrosphere.serving.gateway.GatewayService/ShadowlessPredictServable": return await predict(request, .shadowless)
        case "/tensorflow.serving.PredictionService/Predict": return await predict(request, .tensorFlow)
        default: return await other(request)
        }
    }

    package func stream(for head: WireRequest) -> GRPCStreaming? {
        switch head.path {
        case InferenceService.streamInfer: { await inference.infer($0) }
        case ReflectionService.latest, ReflectionService.alpha: { await reflection.answer($0) }
        default: nil
        }
    }

    /// Whose messages come and go.
    private enum Speech {
        case hydrosphere(RouteTarget.Kind), openInference, tensorFlow
        /// Asked by those who watch: what they ask must not be watched.
        case shadowless
    }

    private func predict(_ request: WireRequest, _ speech: Speech) async -> WireResponse {
        var visit = GRPCVisit(core, request)
        do throws(PredictionError) {
            try visit.prediction.heedTimeout()
            let reply =
                switch speech {
                case .openInference: try await inference.infer(&visit)
                case .hydrosphere(let kind): try await Self.gateway(kind, &visit)
                case .tensorFlow: try await Self.tensorFlow(&visit)
                case .shadowless: try await Self.shadowless(&visit)
                }
            core.close(visit.visit, code: 0)
            return .grpc(message: reply, metadata: visit.metadata)
        } catch {
            let status = GRPCStatus(error)
            core.close(visit.visit, code: status.code.rawValue, error)
            return .grpc(status: status, metadata: visit.metadata(after: error))
        }
    }

    /// Answers what is no prediction.
    private func other(_ request: WireRequest) async -> WireResponse {
        do throws(PredictionError) {
            let namespace = request.headers["hydro-namespace"] ?? core.defaultNamespace
            if let reply = try inference.answer(request, in: namespace) { return .grpc(message: reply) }
            throw .noSuchPath(
                "wanted a method of hydrosphere.serving.gateway.GatewayService, inference.GRPCInferenceService or "
                    + "tensorflow.serving.PredictionService/Predict, found \"\(request.path.prefix(200))\"")
        } catch {
            let status = GRPCStatus(error)
            core.close(core.open(.grpc), code: status.code.rawValue, error)
            return .grpc(status: status)
        }
    }

    /// Hydrosphere 3: a name and tensors by name.
    private static func gateway(_ kind: RouteTarget.Kind, _ visit: inout GRPCVisit) async throws(PredictionError) -> [UInt8] {
        let asked = try visit.scanned("GatewayPredictRequest") { (bytes) throws(ProtoError) in try GatewayRequest(scanning: bytes) }
        visit.look(for: kind, asked.name)
        let answer = try await visit.serve(asked.tensors)
        return try answer.written { (outputs) throws(ProtoError) in try outputs.message() }
    }

    private static func shadowless(_ visit: inout GRPCVisit) async throws(PredictionError) -> [UInt8] {
        visit.prediction.isTapped = false
        return try await gateway(.servable, &visit)
    }

    /// The era before it: TensorFlow Serving's service, by the name in `model_spec`.
    private static func tensorFlow(_ visit: inout GRPCVisit) async throws(PredictionError) -> [UInt8] {
        let asked = try visit.scanned("PredictRequest") { (bytes) throws(ProtoError) in try TensorFlowRequest(scanning: bytes) }
        visit.look(for: .application, asked.model.name, orServable: true)
        guard asked.model.label.isEmpty else {
            throw .malformed("model_spec wants a version or none, found version_label \"\(asked.model.label.prefix(100))\"")
        }
        if let version = asked.model.version { visit.visit.version = Int(version) }
        var answer = try await visit.serve(asked.inputs, wanting: asked.wanted)
        answer.keep(asked.wanted)
        let spec = ModelSpec(name: asked.model.name, version: Int64(answer.version), signature: answer.route.signature.name)
        return try answer.written { (outputs) throws(ProtoError) in try TensorFlowResponse(model: spec, outputs: outputs).message() }
    }
}

/// One call that asks for a prediction: in a unary call its only one, in a stream one of many.
struct GRPCVisit {
    let core: FrontCore
    let message: Result<ArraySlice<UInt8>, GRPCStatus>
    let namespace: String
    var visit: Visit
    var prediction: Prediction

    /// A unary call.
    init(_ core: FrontCore, _ request: WireRequest) {
        self.init(core, request, Result { () throws(GRPCStatus) in try request.grpcMessage() })
    }

    /// A message of a stream, whose head has the metadata.
    init(_ core: FrontCore, _ head: WireRequest, _ message: Result<ArraySlice<UInt8>, GRPCStatus>) {
        self.core = core
        self.message = message
        namespace = head.headers["hydro-namespace"] ?? core.defaultNamespace
        visit = core.open(.grpc)
        prediction = Prediction(head, began: visit.began, dice: core.dice)
        visit.identify(prediction)
    }

    var metadata: WireHeaders {
        var metadata = WireHeaders()
        visit.identify(&metadata)
        return metadata
    }

    func metadata(after error: PredictionError) -> WireHeaders {
        var metadata = metadata
        if let seconds = error.retryAfter {
            metadata.append("retry-after", "\(seconds)")
            // What gRPC's own clients heed. (gRFC A6)
            metadata.append("grpc-retry-pushback-ms", "\(seconds * 1000)")
        }
        return metadata
    }

    /// The message, read as what it should be.
    func scanned<Message>(
        _ name: String, _ scan: (ArraySlice<UInt8>) throws(ProtoError) -> Message
    ) throws(PredictionError) -> Message {
        let bytes: ArraySlice<UInt8>
        do throws(GRPCStatus) { bytes = try message.get() } catch { throw .badFrame(error) }
        do throws(ProtoError) { return try scan(bytes) } catch {
            throw .malformed("the message wants a \(name), got something else: \(error)")
        }
    }

    mutating func look(for kind: RouteTarget.Kind, _ name: String, orServable: Bool = false) {
        visit.target = RouteTarget(kind, ObjectKey(namespace, name))
        visit.mayBeServable = orServable
    }

    /// Predicts; the names of wanted outputs are checked first.
    mutating func serve(_ inputs: WireTensors, wanting names: [String] = []) async throws(PredictionError) -> Answer {
        try await core.serve(prediction, &visit) { (route) throws(PredictionError) in
            try route.mustGive(names)
            return inputs
        }
    }
}

extension Route {
    /// Refuses to promise outputs that the signature does not declare.
    func mustGive(_ names: [String]) throws(PredictionError) {
        for name in names where !signature.outputs.contains(where: { $0.name == name }) {
            let declared = signature.outputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
            throw .malformed("output \"\(name.prefix(200))\" is not declared; declared are \(declared)")
        }
    }
}

extension Answer {
    /// Keeps the outputs of these names, in their order; all for no names.
    mutating func keep(_ names: [String]) {
        guard !names.isEmpty else { return }
        var kept: [WireTensors.Entry] = []
        for name in names where !kept.contains(where: { $0.name == name }) { if let entry = outputs[name] { kept.append(entry) } }
        var left = WireTensors(entries: kept)
        left.beside = outputs.beside
        outputs = left
    }

    /// The answer as its caller's protocol writes it.
    func written<Written>(_ write: (WireTensors) throws(ProtoError) -> Written) throws(PredictionError) -> Written {
        do throws(ProtoError) { return try write(outputs) } catch {
            throw .notOffered("\(route.target) cannot be asked over this protocol: \(error)")
        }
    }
}
