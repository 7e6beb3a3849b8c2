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
    /// Who is told of every call, if anybody is to be.
    let tap: Tap?

    /// How hard to try.
    package struct Settings: Sendable, Equatable {
        /// How long to look for a pod that takes the request, when none is there or all refuse.
        package var patience: Duration = .seconds(2)
        /// How long a pod that refused a connection is left out while there are others.
        package var shun: Duration = .seconds(3)

        package init() {}
    }

    package init(upstreams: GRPCUpstreams, dice: Dice = Dice(), settings: Settings = Settings(), tap: Tap? = nil) {
        self.tap = tap
        self.upstreams = upstreams
        self.dice = dice
        self.settings = settings
    }

    /// The declared outputs of the last stage, and the version of the model that gave them. The inputs have been checked by whoever
    /// decoded them.
    package func run(
        _ prediction: Prediction, _ inputs: WireTensors, along route: Route
    ) async throws(PredictionError) -> (outputs: WireTensors, version: Int) {
        let deadline = prediction.deadline(along: route)
        let metadata = Self.metadata(for: prediction)
        let sticky = route.stickyHeader.flatMap { prediction.headers[$0] }
        var current = inputs
        var version = 0
        for (place, stage) in route.stages.enumerated() {
            guard let drawn = stage.draw(sticky, dice) else {
                throw .notReady(route.target, "no variant of stage \"\(stage.name)\" may answer")
            }
            let given = try Self.inputs(of: stage, at: place, of: route, from: current, request: inputs)
            let call = VariantCall(
                variant: stage.variants[drawn], signature: stage.signature, inputs: given, metadata: metadata,
                beside: inputs.beside, began: prediction.began, deadline: deadline, pipeline: self,
                tap: prediction.isTapped ? tap : nil)
            prediction.trail?.add(stage.variants[drawn].servable.name)
            current = try await call.answer()
            version = stage.variants[drawn].version
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
        let violations = stage.signature.violations(ofInputs: given.outlines)
        guard violations.isEmpty else {
            throw .brokenContract(
                model: route.stages[place - 1].name,
                "stage \"\(stage.name)\" cannot take what the stage before made: \(ContractViolation.summary(of: violations))")
        }
        return given
    }

    private static func metadata(for prediction: Prediction) -> WireHeaders {
        var metadata: WireHeaders = ["x-request-id": prediction.requestID.text]
        if let trace = prediction.trace { metadata.append("traceparent", trace.description) }
        return metadata
    }
}
