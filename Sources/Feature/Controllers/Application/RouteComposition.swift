// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import KubeCore
import KubeRuntime

/// The route that an application asks for, checked against contracts and against what is ready.
struct RouteComposition {
    private let application: Application
    private let stages: [[VariantChoice]]
    private let servables: [String: Servable]
    private let contract: Result<ApplicationContract, CompositionError>?

    init(_ application: Application, _ stages: [[VariantChoice]], _ seen: ApplicationObserved) {
        self.application = application
        self.stages = stages
        servables = seen.servables
        contract = Self.compose(stages)
    }

    /// Nil while some variant's signature is not known.
    private static func compose(_ stages: [[VariantChoice]]) -> Result<ApplicationContract, CompositionError>? {
        var contracts: [StageContract] = []
        for choices in stages {
            var contract = StageContract(name: choices.first?.stage ?? "", variants: [])
            for choice in choices {
                guard let version = choice.version, let signature = version.spec.signature else {
                    if choice.answers { return nil }
                    continue
                }
                contract.variants.append(.init(name: "\(version.spec.model):\(version.spec.version)", signature: signature))
            }
            contracts.append(contract)
        }
        return Result { () throws(CompositionError) in try Signature.compose(contracts) }
    }

    private var obstacle: VariantChoice? {
        let answering = stages.joined().filter(\.answers)
        return answering.first { if case .missing = $0.outcome { true } else { false } } ?? answering.first { $0.version == nil }
    }

    private var mismatch: CompositionError? { if case .failure(let error) = contract { error } else { nil } }

    /// Pods are made only for what fits together.
    var mayDeploy: Bool { mismatch == nil }

    private func isReady(_ choice: VariantChoice) -> Bool {
        choice.servable.flatMap { servables[$0] }?.status.conditions.isTrue(ConditionType.ready) ?? false
    }

    private var waitingFor: [VariantChoice] { stages.joined().filter { $0.answers && !isReady($0) } }

    var standing: Standing {
        if let mismatch { return .stalled(reason: "ContractMismatch", message: keeping(mismatch.description)) }
        if let obstacle {
            switch obstacle.outcome {
            case .missing(let reason, let message):
                return .stalled(reason: reason, message: keeping("stage \"\(obstacle.stage)\" \(message)"))
            case .awaited(let reason, let message):
                return .working(reason: reason, message: keeping("stage \"\(obstacle.stage)\": \(message)"))
            case .found: break
            }
        }
        guard let late = waitingFor.first else { return .ready(message: summary) }
        let condition = late.servable.flatMap { servables[$0] }?.status.conditions[ConditionType.ready]
        let reason = condition?.reason ?? "ServableStarting"
        let message = condition?.message ?? "not started yet"
        return .working(reason: reason, message: keeping("servable \"\(late.servable ?? late.variant.model)\": \(message)"))
    }

    var verdict: Verdict {
        switch standing {
        case .ready: .settled
        case .working(let reason, _): .waiting(reason: reason, retry: .seconds(60))
        case .stalled(let reason, let message): .stalled(reason: reason, message: message)
        }
    }

    private func keeping(_ message: String) -> String {
        guard let route = application.status.activeRoute, !route.stages.isEmpty else { return message }
        return "\(message); the route of generation \(route.generation) is served on"
    }

    var conditions: [Condition] {
        let compatible: Condition =
            switch contract {
            case .success: Condition(ConditionType.contractCompatible, .true, reason: "Compatible")
            case .failure(let error):
                Condition(ConditionType.contractCompatible, .false, reason: "ContractMismatch", message: error.description)
            case nil: Condition(ConditionType.contractCompatible, .unknown, reason: "VersionsUnknown")
            }
        let late = waitingFor.map { $0.servable ?? $0.variant.label }
        let ready =
            late.isEmpty
            ? Condition(ConditionType.servablesReady, .true, reason: "Ready")
            : Condition(ConditionType.servablesReady, .false, reason: "Waiting", message: "not ready: \(late.joined(separator: ", "))")
        return [compatible, ready]
    }

    /// `claims-clean:4 → claims:1(90) claims:2(10)`
    private var summary: String {
        stages.map { choices in
            choices.map { choice in
                let name =
                    "\(choice.variant.model):\(choice.version.map { String($0.spec.version) } ?? choice.variant.version.map(String.init) ?? "?")"
                if let shadow = choice.variant.shadow { return "\(name)(shadow \(shadow.percent))" }
                return choices.count == 1 ? name : "\(name)(\(choice.weight(among: choices)))"
            }.joined(separator: " ")
        }.joined(separator: " → ")
    }

    func status(after before: Application.Status, gatewayURL: String, gatewayGRPC: String) -> Application.Status {
        var status = before
        let key = application.key
        let prefix = key.namespace == "default" ? "" : "/namespaces/\(key.namespace)"
        status.url = gatewayURL.isEmpty ? nil : "\(gatewayURL)\(prefix)/gateway/application/\(key.name)"
        status.grpcUrl = gatewayGRPC.isEmpty ? nil : gatewayGRPC
        status.stagesSummary = summary
        status.stages = stages.map { choices in
            var stage = Application.StageStatus()
            stage.name = choices.first?.stage ?? ""
            stage.variants = choices.map { variantStatus($0, among: choices) }
            return stage
        }
        if case .ready = standing, case .success(let contract) = contract {
            status.activeRoute = route(contract)
            status.signature = contract.signature
        }
        return status
    }

    private func variantStatus(_ choice: VariantChoice, among choices: [VariantChoice]) -> Application.VariantStatus {
        var status = Application.VariantStatus()
        status.model = choice.variant.model
        status.version = choice.version?.spec.version ?? choice.variant.version
        status.servable = choice.servable
        if let shadow = choice.variant.shadow {
            status.shadowPercent = shadow.percent
        } else {
            status.weight = choice.weight(among: choices)
        }
        status.ready = isReady(choice)
        switch choice.outcome {
        case .awaited(let reason, _), .missing(let reason, _): status.reason = reason
        case .found(_, let servable):
            if !status.ready { status.reason = servables[servable]?.status.conditions[ConditionType.ready]?.reason ?? "Starting" }
        }
        return status
    }

    /// The route; a shadow that is not ready is left out of it, since it never holds anything up.
    private func route(_ contract: ApplicationContract) -> ActiveRoute {
        var route = ActiveRoute()
        route.generation = application.metadata.generation
        route.timeout = application.spec.timeout
        route.sticky = application.spec.sticky
        route.concurrency = application.spec.concurrency
        route.access = application.spec.access
        route.kafka = application.spec.kafka
        route.signature = contract.signature
        route.stages = zip(stages, contract.stages).map { choices, signature in
            var stage = ActiveRoute.Stage()
            stage.name = choices.first?.stage ?? ""
            stage.signature = signature
            stage.variants = choices.filter { $0.answers || isReady($0) }.compactMap { variant($0, among: choices) }
            return stage
        }
        return route
    }

    private func variant(_ choice: VariantChoice, among choices: [VariantChoice]) -> ActiveRoute.Variant? {
        guard case .found(let version, let name) = choice.outcome else { return nil }
        var variant = ActiveRoute.Variant()
        variant.servable = name
        variant.service = servables[name]?.status.service ?? name
        variant.port = version.spec.runtime?.port ?? ResolvedRuntime.defaultPort
        variant.protocol = version.spec.runtime?.protocol ?? .hydrosphere
        variant.model = version.spec.model
        variant.version = version.spec.version
        variant.weight = choice.weight(among: choices)
        variant.shadowPercent = choice.variant.shadow?.percent
        return variant
    }
}
