// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import KubeCore
package import Protos
import Telemetry
package import Wire

/// Takes a request through the stages of its route.
///
/// For each stage one variant is drawn, one of its pods is chosen, and its answer is checked. Values pass from stage to
/// stage as they came off the wire.
package struct Pipeline: Sendable {
    let upstreams: GRPCUpstreams
    let dice: Dice
    let settings: Settings

    /// How hard to try.
    package struct Settings: Sendable, Equatable {
        /// How long to look for a pod that takes the request, when none is there or all refuse.
        package var patience: Duration = .seconds(2)
        /// How long a pod that refused a connection is left out while there are others.
        package var shun: Duration = .seconds(3)

        package init() {}
    }

    package init(upstreams: GRPCUpstreams, dice: Dice = Dice(), settings: Settings = Settings()) {
        self.upstreams = upstreams
        self.dice = dice
        self.settings = settings
    }

    /// The declared outputs of the last stage. The inputs have been checked by whoever decoded them.
    package func run(_ prediction: Prediction, _ inputs: WireTensors, along route: Route) async throws(PredictionError) -> WireTensors {
        let deadline = min(prediction.deadline, prediction.began + route.timeout)
        let metadata = Self.metadata(for: prediction)
        var current = inputs
        for (place, stage) in route.stages.enumerated() {
            let variant = try pick(stage, prediction, route)
            let given = try Self.inputs(of: stage, at: place, of: route, from: current, request: inputs)
            let message: [UInt8]
            do throws(ProtoError) { message = try (variant.inputs.map { given.picking($0) } ?? given).message() } catch {
                throw .malformed("\(error)")
            }
            let call = VariantCall(
                variant: variant, message: message, metadata: metadata, began: prediction.began, deadline: deadline, pipeline: self)
            let reply: GRPCReply
            let sent = ContinuousClock.now
            do throws(PredictionError) { reply = try await call.send() } catch {
                variant.meters.fail()
                throw error
            }
            current = try Self.outputs(of: reply, stage, variant)
            variant.meters.answer(after: .now - sent)
        }
        return current.picking(route.signature.outputs)
    }

    private func pick(_ stage: Route.Stage, _ prediction: Prediction, _ route: Route) throws(PredictionError) -> Route.Variant {
        guard stage.variants.count > 1 else { return stage.variants[0] }
        let sticky = route.stickyHeader.flatMap { prediction.headers[$0] }
        let draw = sticky.map { Dice.number(for: $0, salt: stage.name) } ?? dice.next()
        guard let place = stage.picker.pick(draw) else { throw .notReady(route.target, "no variant of stage \"\(stage.name)\" may answer") }
        return stage.variants[place]
    }

    private static func inputs(
        of stage: Route.Stage, at place: Int, of route: Route, from current: WireTensors, request: WireTensors
    ) throws(PredictionError) -> WireTensors {
        if route.stages.count == 1 { return current }
        let given = current.picking(stage.signature.inputs, orFrom: request)
        // The first stage takes what the whole application was checked for.
        guard place > 0 else { return given }
        let violations = stage.signature.violations(ofInputs: given.outlines)
        guard violations.isEmpty else {
            throw .brokenContract(
                model: route.stages[place - 1].name,
                "stage \"\(stage.name)\" cannot take what the stage before made: \(ContractViolation.summary(of: violations))")
        }
        return given
    }

    private static func outputs(
        of reply: GRPCReply, _ stage: Route.Stage, _ variant: Route.Variant
    ) throws(PredictionError) -> WireTensors {
        let outputs: WireTensors
        do throws(ProtoError) { outputs = try WireTensors(scanning: reply.message) } catch {
            variant.meters.fail()
            throw .brokenContract(model: variant.model, "\(error)")
        }
        let violations = stage.signature.violations(ofOutputs: outputs.outlines)
        guard violations.isEmpty else {
            variant.meters.fail()
            throw .brokenContract(model: variant.model, ContractViolation.summary(of: violations))
        }
        return outputs
    }

    private static func metadata(for prediction: Prediction) -> WireHeaders {
        var metadata: WireHeaders = ["x-request-id": prediction.requestID.text]
        if let trace = prediction.trace { metadata.append("traceparent", trace.description) }
        return metadata
    }
}

/// One call of one variant, tried on one pod after another for as long as no pod has begun.
private struct VariantCall {
    static let path = "/hydrosphere.serving.runtime.PredictionService/Predict"

    let variant: Route.Variant
    let message: [UInt8]
    let metadata: WireHeaders
    let began: ContinuousClock.Instant
    let deadline: ContinuousClock.Instant
    let pipeline: Pipeline

    func send() async throws(PredictionError) -> GRPCReply {
        var tried: [Pod] = []
        var reason = "it has no ready pods"
        var patience: ContinuousClock.Instant?
        var pause = Duration.milliseconds(5)
        while true {
            guard let pod = variant.pods.choose(pipeline.dice.next(), now: Self.now, tried: tried) else {
                // None there, or all have refused: pods come and go while a servable rolls, so a new one may be near.
                let end = patience ?? min(.now + pipeline.settings.patience, deadline)
                patience = end
                try await wait(pause, until: end, reason)
                pause = min(pause * 2, .milliseconds(200))
                tried = []
                continue
            }
            do throws(UpstreamError) {
                return try await send(to: pod)
            } catch .notSent(let why) {
                pod.shun(until: Self.now + Self.nanoseconds(pipeline.settings.shun))
                variant.meters.retry()
                reason = "pod \(pod.ip) \(why)"
                tried.append(pod)
            } catch {
                throw failure(error)
            }
        }
    }

    private func send(to pod: Pod) async throws(UpstreamError) -> GRPCReply {
        pod.begin()
        defer { pod.end() }
        return try await pipeline.upstreams.unary(
            to: SocketAddress(pod.ip, variant.port), path: Self.path, metadata: metadata, message: message, deadline: deadline)
    }

    private func wait(_ pause: Duration, until end: ContinuousClock.Instant, _ reason: String) async throws(PredictionError) {
        guard .now < end else {
            throw end < deadline ? .unavailable(model: variant.model, reason) : .deadlineExceeded(after: deadline - began)
        }
        do { try await Task.sleep(until: min(.now + pause, end)) } catch { throw .abandoned }
    }

    private func failure(_ error: UpstreamError) -> PredictionError {
        switch error {
        case .notSent(let reason): .unavailable(model: variant.model, reason)
        case .lost(let reason): .lost(model: variant.model, reason)
        case .deadlineExceeded: .deadlineExceeded(after: deadline - began)
        case .cancelled: .abandoned
        case .refused(let status): .modelFailed(model: variant.model, status)
        case .tooLarge(let limit): .brokenContract(model: variant.model, "wanted an answer of at most \(limit) bytes, got a longer one")
        }
    }

    private static var now: Int64 { nanoseconds(start.duration(to: .now)) }
    private static let start = ContinuousClock.now

    private static func nanoseconds(_ span: Duration) -> Int64 {
        span.components.seconds * 1_000_000_000 + span.components.attoseconds / 1_000_000_000
    }
}
