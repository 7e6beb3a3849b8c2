// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Telemetry
package import Wire

/// The HTTP port: hands each request to the front that its path belongs to.
///
/// `/gateway/**` is Hydrosphere's, `/v2/**` the Open Inference Protocol's, `/openapi/{application}.json` describes both.
/// A name is looked up in the namespace of the prefix `/namespaces/{ns}`, else of the header `hydro-namespace`, else in the default one.
package struct HTTPFront: WireHandler {
    private let core: FrontCore
    private let hydrosphere: HydrosphereFront
    private let openInference: OpenInferenceFront

    package init(_ core: FrontCore) {
        self.core = core
        hydrosphere = HydrosphereFront(core: core)
        openInference = OpenInferenceFront(core: core)
    }

    package func respond(to request: WireRequest) async -> WireResponse {
        let path = HTTPPath(request.path)
        let namespace = path.namespace ?? request.headers["hydro-namespace"] ?? core.defaultNamespace
        switch path.place {
        case .predict(let kind, let name): return await hydrosphere.predict(request, RouteTarget(kind, ObjectKey(namespace, name)))
        case .openInference(let place): return await openInference.respond(to: request, at: place, in: namespace)
        case .sample(let kind, let name): return hydrosphere.sample(request, RouteTarget(kind, ObjectKey(namespace, name)))
        case .applications: return hydrosphere.applications(request, in: namespace)
        case .openAPI(let name):
            return page(request) { () throws(PredictionError) in
                let route = try core.route(to: RouteTarget(.application, ObjectKey(namespace, name)))
                return OpenAPIDocument(of: route, defaultNamespace: core.defaultNamespace).json()
            }
        case .health: return page(request, contentType: "text/plain; charset=utf-8") { Array("OK\n".utf8) }
        case .buildInfo: return page(request) { GatewayIdentity.buildInfo }
        case nil: return stray(request)
        }
    }

    /// Words what the server itself refuses in the way of the path's protocol.
    package func refusal(status: Int, reason: String, path: String) -> WireResponse {
        let dialect = HTTPDialect(ofPath: path)
        return WireResponse(
            status: status, headers: ["content-type": "application/json"],
            body: dialect.body(of: HTTPFault(status: status, information: reason)))
    }

    private func page(
        _ request: WireRequest, contentType: String = "application/json", _ body: () throws(PredictionError) -> [UInt8]
    ) -> WireResponse { core.page(request, as: .hydrosphere, contentType: contentType, body) }

    private func stray(_ request: WireRequest) -> WireResponse {
        var visit = core.open(.http)
        visit.identify(Prediction(request, began: visit.began, dice: core.dice))
        let dialect = HTTPDialect(ofPath: request.path)
        return core.refuse(.noSuchPath("wanted \(dialect.paths), found \"\(request.path.prefix(200))\""), visit, as: dialect)
    }
}

/// How errors are written over HTTP.
enum HTTPDialect {
    /// `{"error": word, "information": sentence}`
    case hydrosphere
    /// `{"error": sentence}`
    case openInference

    init(ofPath path: String) { self = HTTPPath.isOpenInference(path) ? .openInference : .hydrosphere }

    func body(of fault: HTTPFault) -> [UInt8] {
        switch self {
        case .hydrosphere: fault.json()
        case .openInference: fault.openInferenceJSON()
        }
    }

    fileprivate var paths: String {
        switch self {
        case .hydrosphere: "/gateway/application/{name}, /gateway/servable/{name}, /v2/models/{name}/infer or /openapi/{name}.json"
        case .openInference: "a path of the Open Inference Protocol"
        }
    }
}
