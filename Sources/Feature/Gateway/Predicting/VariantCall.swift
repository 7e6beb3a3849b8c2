// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Protos
import Wire

/// One call of one variant, tried on one pod after another for as long as no pod has begun.
final class VariantCall: Sendable {
    let variant: Route.Variant
    /// What the variant's stage takes and gives.
    let signature: Signature
    /// The stage's inputs, checked.
    let inputs: WireTensors
    let metadata: WireHeaders
    /// What the caller said beside the values.
    let beside: InferBeside
    let began: ContinuousClock.Instant
    let deadline: ContinuousClock.Instant
    let pipeline: Pipeline
    let tap: Tap?

    init(
        variant: Route.Variant, signature: Signature, inputs: WireTensors, metadata: WireHeaders, beside: InferBeside,
        began: ContinuousClock.Instant, deadline: ContinuousClock.Instant, pipeline: Pipeline, tap: Tap?
    ) {
        self.variant = variant
        self.signature = signature
        self.inputs = inputs
        self.metadata = metadata
        self.beside = beside
        self.began = began
        self.deadline = deadline
        self.pipeline = pipeline
        self.tap = tap
    }

    /// The variant's outputs, checked; counts and times the call, and tells the tap.
    func answer() async throws(PredictionError) -> WireTensors {
        let sent = ContinuousClock.now
        var request: [UInt8] = []
        var reply: ArraySlice<UInt8>?
        do throws(PredictionError) {
            request = try message()
            let answer = try await send(request)
            reply = answer.message
            let outputs = try outputs(of: answer)
            let took = ContinuousClock.now - sent
            variant.meters.answer(after: took)
            tap?.offer(variant.subject) {
                TapMessages.Record(request, answer.message, encoding: variant.dialect.tapped, after: took, metadata)
            }
            return outputs
        } catch {
            variant.meters.fail()
            tap?.offer(variant.subject) {
                TapMessages.Record(request, reply, encoding: variant.dialect.tapped, after: .now - sent, metadata, error)
            }
            throw error
        }
    }

    private func message() throws(PredictionError) -> [UInt8] {
        var beside = beside
        if variant.dialect == .openInference, beside.id.isEmpty { beside.id = metadata["x-request-id"] ?? "" }
        do throws(ProtoError) {
            return try variant.dialect.request(
                variant.inputs.map { inputs.picking($0) } ?? inputs, to: variant.addressee, wanting: signature.outputs, beside: beside)
        } catch {
            // The values are what the signature declares, so it is the signature that asks too much of the protocol.
            throw .brokenContract(model: variant.model, "\(error)")
        }
    }

    private func outputs(of reply: GRPCReply) throws(PredictionError) -> WireTensors {
        let outputs: WireTensors
        do throws(ProtoError) { outputs = try variant.dialect.answer(reply.message) } catch {
            throw .brokenContract(model: variant.model, "\(error)")
        }
        let violations = signature.violations(ofOutputs: outputs)
        guard violations.isEmpty else { throw .brokenContract(model: variant.model, ContractViolation.summary(of: violations)) }
        return outputs
    }

    private func send(_ message: [UInt8]) async throws(PredictionError) -> GRPCReply {
        let warmup = pipeline.settings.slowStart.nanoseconds
        var tried: [Pod] = []
        var reason = "it has no ready pods"
        var patience: ContinuousClock.Instant?
        var pause = Duration.milliseconds(5)
        var hasTried = false
        variant.pods.budget.add()
        while true {
            let now = PodClock.now
            let pod = variant.pods.choose(pipeline.dice.next(), now: now, warmup: warmup, tried: tried)
            guard let pod, !hasTried || variant.pods.budget.take(now: now) else {
                // None there, or all have refused, or there is too much of that: pods come and go while a servable rolls, so a new
                // one may be near.
                let end = patience ?? min(.now + pipeline.settings.patience, deadline)
                patience = end
                try await wait(pause, until: end, reason)
                pause = min(pause * 2, .milliseconds(200))
                tried = []
                continue
            }
            if hasTried { variant.meters.retry() }
            hasTried = true
            do throws(UpstreamError) {
                let reply = try await send(message, to: pod)
                pod.answered(now: now)
                return reply
            } catch .notSent(let why) {
                pipeline.prober?.eject(pod, at: SocketAddress(pod.ip, variant.port))
                reason = "pod \(pod.ip) \(why)"
                tried.append(pod)
            } catch {
                note(error, of: pod)
                throw failure(error)
            }
        }
    }

    /// A pod that loses requests, or says that it is unavailable, is left out in time. A model that fails, or is slow, says nothing
    /// about its pod.
    private func note(_ error: UpstreamError, of pod: Pod) {
        switch error {
        case .refused(let status) where status.code != .unavailable: pod.answered(now: PodClock.now)
        case .refused, .lost:
            guard pod.failed(), let prober = pipeline.prober, variant.pods.maySpare(at: PodClock.now) else { return }
            prober.eject(pod, at: SocketAddress(pod.ip, variant.port), suspected: true)
        case .notSent, .deadlineExceeded, .cancelled, .tooLarge: return
        }
    }

    private func send(_ message: [UInt8], to pod: Pod) async throws(UpstreamError) -> GRPCReply {
        pod.begin()
        defer { pod.end() }
        return try await pipeline.upstreams.unary(
            to: SocketAddress(pod.ip, variant.port), path: variant.dialect.path, metadata: metadata, message: message, deadline: deadline)
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
        case .refused(let status): .modelFailed(model: variant.model, variant.dialect.status(status, of: variant.addressee))
        case .tooLarge(let limit): .brokenContract(model: variant.model, "wanted an answer of at most \(limit) bytes, got a longer one")
        }
    }
}
