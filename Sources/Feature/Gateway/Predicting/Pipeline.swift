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
package final class Pipeline: Sendable {
    let upstreams: GRPCUpstreams
    let dice: Dice
    let settings: Settings
    /// Who is told of every call, if anybody is to be.
    let tap: Tap?
    let shadows: Shadows?
    let prober: PodProber?

    /// How hard to try.
    package struct Settings: Sendable, Equatable {
        /// How long to look for a pod that takes the request, when none is there or all refuse.
        package var patience: Duration = .seconds(2)
        /// How long a new pod gets less than its share.
        package var slowStart: Duration = .seconds(10)

        package init() {}
    }

    /// - Parameter shadows: makes the calls of shadows; without it there are none.
    /// - Parameter prober: finds out whether a pod that was left out is back; without it no pod is left out.
    package init(
        upstreams: GRPCUpstreams, dice: Dice = Dice(), settings: Settings = Settings(), tap: Tap? = nil, shadows: Shadows? = nil,
        prober: PodProber? = nil
    ) {
        self.tap = tap
        self.shadows = shadows
        self.prober = prober
        self.upstreams = upstreams
        self.dice = dice
        self.settings = settings
    }

    /// The declared outputs of the last stage, and the version of the model that gave them. The inputs have been checked by whoever
    /// decoded them.
    /// - Parameter trail: where to write down the variants that it is sent to; nil where nobody wants to know.
    package func run(
        _ prediction: Prediction, _ inputs: WireTensors, along route: Route, trail: VariantTrail? = nil
    ) async throws(PredictionError) -> (outputs: WireTensors, version: Int) {
        let deadline = prediction.deadline(along: route)
        let sticky = route.stickyHeader.flatMap { prediction.headers[$0] }
        var current = inputs
        var version = 0
        for (place, stage) in route.stages.enumerated() {
            guard let drawn = stage.draw(sticky, dice) else {
                throw .notReady(route.target, "no variant of stage \"\(stage.name)\" may answer")
            }
            let variant = stage.variants[drawn]
            let given = try Self.inputs(of: stage, at: place, of: route, from: current, request: inputs)
            let call = VariantCall(
                variant: variant, signature: stage.signature, inputs: given, metadata: metadata(for: prediction),
                beside: inputs.beside, began: prediction.began, deadline: deadline, pipeline: self,
                tap: prediction.isTapped ? tap : nil)
            trail?.note(variant)
            if !stage.shadows.isEmpty, prediction.isTapped {
                copy(call, prediction, for: stage, of: route, keeping: inputs.bytes + (place > 0 ? current.bytes : 0))
            }
            current = try await call.answer()
            version = variant.version
        }
        return (current.picking(route.signature.outputs), version)
    }

    private static func inputs(
        of stage: Route.Stage, at place: Int, of route: Route, from current: WireTensors, request: WireTensors
    ) throws(PredictionError) -> WireTensors {
        if route.stages.count == 1 { return current }
        let given = current.picking(stage.signature.inputs, orFrom: request)
        // The first stage takes what the whole application was checked for.
        guard place > 0 else { return given }
        let violations = stage.signature.violations(ofInputs: given)
        guard violations.isEmpty else {
            throw .brokenContract(
                model: route.stages[place - 1].name,
                "stage \"\(stage.name)\" cannot take what the stage before made: \(ContractViolation.summary(of: violations))")
        }
        return given
    }

    /// Puts a copy of the call aside for each shadow whose turn it is. It has the application's whole time to itself.
    private func copy(_ call: VariantCall, _ prediction: Prediction, for stage: Route.Stage, of route: Route, keeping bytes: Int) {
        guard let shadows else { return }
        for shadow in stage.shadows where shadow.isDue(dice) {
            let now = ContinuousClock.now
            let copy = VariantCall(
                variant: shadow.variant, signature: call.signature, inputs: call.inputs, metadata: metadata(for: prediction),
                beside: call.beside, began: now, deadline: now + route.timeout, pipeline: self, tap: tap)
            shadows.put(copy, for: shadow, keeping: bytes)
        }
    }

    /// What goes along with one call: the request's id, and a span of its own in the request's trace.
    private func metadata(for prediction: Prediction) -> WireHeaders {
        var metadata = WireHeaders()
        metadata.reserve()
        metadata.append("x-request-id", prediction.requestID.text)
        if let trace = prediction.trace { metadata.append("traceparent", trace.child(span: dice.next()).description) }
        return metadata
    }
}

extension WireTensors {
    /// Bytes of all tensors.
    fileprivate var bytes: Int { entries.reduce(0) { $0 + $1.bytes.count } }
}
