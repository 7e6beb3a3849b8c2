// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Contract
package import HydroAPI
package import KubeCore

/// What a request is addressed to.
package struct RouteTarget: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable { case application, servable }

    package var kind: Kind
    package var key: ObjectKey

    package init(_ kind: Kind, _ key: ObjectKey) {
        self.kind = kind
        self.key = key
    }

    package var description: String { "\(kind.rawValue) \"\(key)\"" }

    /// What metrics say of it.
    var labels: [(String, String)] { [("namespace", key.namespace), (kind.rawValue, key.name)] }
}

/// The way of a request through stages of variants, with everything looked up beforehand.
///
/// Objects that never change, so that a request that goes along costs one reference and no copy.
package final class Route: Sendable {
    package final class Stage: Sendable {
        package let name: String
        package let signature: Signature
        /// The variants that may answer: no shadows.
        package let variants: [Variant]
        package let picker: VariantPicker
        /// The variants that get copies.
        package let shadows: [Shadow]

        init(name: String, signature: Signature, variants: [Variant], picker: VariantPicker, shadows: [Shadow] = []) {
            self.name = name
            self.signature = signature
            self.variants = variants
            self.picker = picker
            self.shadows = shadows
        }
    }

    package final class Variant: Sendable {
        package let servable: ObjectKey
        /// `tumour:2`, for messages.
        package let model: String
        package let version: Int
        /// How often it answers, beside the others of its stage.
        package let weight: Int
        package let port: Int
        package let dialect: Dialect
        package let addressee: Addressee
        package let pods: PodSet
        /// The inputs of this variant, where the stage has more for others' sake.
        package let inputs: [Field]?
        package let meters: VariantMeters
        /// As whom the tap knows it.
        package let subject: TapSubject

        init(
            servable: ObjectKey, model: String, version: Int, weight: Int, port: Int, dialect: Dialect, addressee: Addressee, pods: PodSet,
            inputs: [Field]?, meters: VariantMeters, subject: TapSubject
        ) {
            self.servable = servable
            self.model = model
            self.version = version
            self.weight = weight
            self.port = port
            self.dialect = dialect
            self.addressee = addressee
            self.pods = pods
            self.inputs = inputs
            self.meters = meters
            self.subject = subject
        }
    }

    package let target: RouteTarget
    package let signature: Signature
    package let timeout: Duration
    /// The header whose value decides about variants, in lower case.
    package let stickyHeader: String?
    package let stages: [Stage]
    package let meters: RouteMeters
    /// Who may come in: the same for as long as its limits stay, however often the route changes.
    package let admission: Admission
    /// A caller whom any of them lets in may ask; empty: anybody.
    package let access: [Application.Access]

    init(
        target: RouteTarget, signature: Signature, timeout: Duration, stickyHeader: String?, stages: [Stage], meters: RouteMeters,
        admission: Admission, access: [Application.Access] = []
    ) {
        self.target = target
        self.signature = signature
        self.timeout = timeout
        self.stickyHeader = stickyHeader
        self.stages = stages
        self.meters = meters
        self.admission = admission
        self.access = access
    }
}

/// What is served under a name.
package enum RouteState: Sendable {
    case serving(Route)
    /// The name is known, but cannot be served yet, for a reason.
    case waiting(String)
}

/// What a route is made of, beside the object itself.
package struct RouteSurroundings: Sendable {
    /// The pods of each Service.
    package var pods: [ObjectKey: PodSet]
    package var servables: [ObjectKey: Servable]
    /// Of the name that the route is for; nil: a new one with the usual limits.
    package var admission: Admission?
    /// For a servable: whom its applications let in.
    package var access: [Application.Access] = []

    package init(pods: [ObjectKey: PodSet], servables: [ObjectKey: Servable] = [:], admission: Admission? = nil) {
        self.pods = pods
        self.servables = servables
        self.admission = admission
    }

    /// A Service that nobody has heard of has no pods, which is what a request to it will be told.
    func pods(of service: ObjectKey) -> PodSet { pods[service] ?? PodSet() }
}

extension RouteState {
    /// What the application's status says to serve. The spec does not matter here: it may ask for what is not ready.
    package init(_ application: Application, _ around: RouteSurroundings) {
        let target = RouteTarget(.application, application.key)
        guard let active = application.status.activeRoute else {
            let ready = application.status.conditions[ConditionType.ready]
            self = .waiting(ready?.message.isEmpty == false ? ready?.message ?? "" : "no route has been published yet")
            return
        }
        guard let signature = active.signature else {
            self = .waiting("its route has no signature")
            return
        }
        var stages: [Route.Stage] = []
        for stage in active.stages {
            guard let own = stage.signature ?? (active.stages.count == 1 ? signature : nil) else {
                self = .waiting("stage \"\(stage.name)\" of its route has no signature")
                return
            }
            let built = Route.Stage(stage, own, of: target, around)
            guard built.picker.pick(0) != nil else {
                self = .waiting("stage \"\(stage.name)\" of its route has no variant that may answer")
                return
            }
            stages.append(built)
        }
        guard !stages.isEmpty else {
            self = .waiting("its route has no stages")
            return
        }
        self = .serving(
            Route(
                target: target, signature: signature, timeout: SpanText.duration(active.timeout) ?? Route.defaultTimeout,
                stickyHeader: active.sticky?.header.lowercased(), stages: stages, meters: RouteMeters(target),
                admission: around.admission ?? Admission(target), access: [active.access].compactMap(\.self)))
    }

    /// A servable alone: one stage, one variant.
    package init(_ servable: Servable, _ around: RouteSurroundings) {
        let target = RouteTarget(.servable, servable.key)
        guard let service = servable.status.service, let signature = servable.status.signature else {
            let ready = servable.status.conditions[ConditionType.ready]
            self = .waiting(ready?.message.isEmpty == false ? ready?.message ?? "" : "it has not been started yet")
            return
        }
        let variant = Route.Variant(
            servable: servable.key, model: "\(servable.status.model ?? servable.key.name):\(servable.status.version ?? 0)",
            version: servable.status.version ?? 0, weight: 1, port: servable.status.port ?? ResolvedRuntime.defaultPort,
            dialect: Dialect(servable.status.protocol ?? .hydrosphere),
            addressee: Addressee(name: servable.status.model ?? servable.key.name, signature: signature.name),
            pods: around.pods(of: ObjectKey(servable.key.namespace, service)), inputs: nil,
            meters: VariantMeters(target, stage: "", servable: servable.key.name),
            subject: TapSubject(
                target, stage: "", servable: servable.key.name, model: servable.status.model ?? servable.key.name,
                version: servable.status.version ?? 0))
        let stage = Route.Stage(name: "", signature: signature, variants: [variant], picker: VariantPicker(weights: [1]))
        self = .serving(
            Route(
                target: target, signature: signature, timeout: Route.defaultTimeout, stickyHeader: nil, stages: [stage],
                meters: RouteMeters(target), admission: around.admission ?? Admission(target),
                access: around.access))
    }
}

extension Route {
    static let defaultTimeout = Duration.seconds(10)
}

extension Route.Stage {
    fileprivate convenience init(_ stage: ActiveRoute.Stage, _ signature: Signature, of target: RouteTarget, _ around: RouteSurroundings) {
        let answering = stage.variants.filter { $0.shadowPercent == nil }
        self.init(
            name: stage.name, signature: signature, variants: answering.map { Route.Variant($0, of: stage, signature, target, around) },
            picker: VariantPicker(weights: answering.map(\.weight), names: answering.map(\.servable)),
            shadows: stage.variants.compactMap { variant in
                guard let percent = variant.shadowPercent else { return nil }
                return Shadow(
                    Route.Variant(variant, of: stage, signature, target, around), percent: percent,
                    labels: target.labels + [("stage", stage.name), ("variant", variant.servable)])
            })
    }
}

extension Route.Variant {
    fileprivate convenience init(
        _ variant: ActiveRoute.Variant, of stage: ActiveRoute.Stage, _ signature: Signature, _ target: RouteTarget,
        _ around: RouteSurroundings
    ) {
        let key = ObjectKey(target.key.namespace, variant.servable)
        let own = around.servables[key]?.status.signature
        let isSame = own.map { Set($0.inputs.map(\.name)) == Set(signature.inputs.map(\.name)) } ?? true
        self.init(
            servable: key, model: "\(variant.model):\(variant.version)", version: variant.version, weight: variant.weight,
            port: variant.port, dialect: Dialect(variant.protocol),
            addressee: Addressee(name: variant.model, signature: own?.name ?? signature.name),
            pods: around.pods(of: ObjectKey(target.key.namespace, variant.service)), inputs: isSame ? nil : own?.inputs,
            meters: VariantMeters(target, stage: stage.name, servable: variant.servable),
            subject: TapSubject(
                target, stage: stage.name, servable: variant.servable, model: variant.model, version: variant.version,
                isShadow: variant.shadowPercent != nil))
    }
}
