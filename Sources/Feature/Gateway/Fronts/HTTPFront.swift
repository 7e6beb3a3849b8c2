// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import KubeCore
import Protos
import Telemetry
package import Wire

/// Predictions over HTTP: a JSON object in, a JSON object out.
///
/// `POST /gateway/application/{name}` and `POST /gateway/servable/{name}`, in the default namespace or after `/namespaces/{ns}`.
/// An error is `{"error": kind, "information": sentence}`.
package struct HTTPFront: WireHandler {
    let core: FrontCore

    package init(_ core: FrontCore) { self.core = core }

    package func respond(to request: WireRequest) async -> WireResponse {
        var visit = core.open(.http)
        do throws(PredictionError) {
            let body = try await predict(request, &visit)
            return answer(200, body, visit)
        } catch {
            let fault = HTTPFault(error)
            return answer(fault.status, fault.json(), visit, error)
        }
    }

    private func predict(_ request: WireRequest, _ visit: inout Visit) async throws(PredictionError) -> [UInt8] {
        var prediction = Prediction(request, began: visit.began, dice: core.dice)
        visit.requestID = prediction.requestID.text
        try prediction.heedTimeout()
        visit.target = try Self.target(of: request, defaultNamespace: core.defaultNamespace)
        let answer = try await core.serve(prediction, &visit) { (route) throws(PredictionError) in
            do throws(TensorJSONError) { return WireTensors(try TensorJSON.read(request.body, as: route.signature.inputs)) } catch {
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

    private func answer(_ status: Int, _ body: [UInt8], _ visit: Visit, _ error: PredictionError? = nil) -> WireResponse {
        core.close(visit, code: status, error)
        var headers: WireHeaders = ["content-type": "application/json"]
        if let id = visit.requestID { headers.append("x-request-id", id) }
        if status == 405 { headers.append("allow", "POST") }
        if status == 503 { headers.append("retry-after", "1") }
        return WireResponse(status: status, headers: headers, body: body)
    }

    /// The name in the path, in the namespace that the path or else the setting says.
    private static func target(of request: WireRequest, defaultNamespace: String) throws(PredictionError) -> RouteTarget {
        guard let target = HTTPPath.target(request.path, defaultNamespace: defaultNamespace) else {
            throw .noSuchPath("wanted /gateway/application/{name} or /gateway/servable/{name}, found \"\(request.path.prefix(200))\"")
        }
        guard request.method == "POST" else { throw .wrongMethod(wanted: "POST", found: String(request.method.prefix(20))) }
        return target
    }
}

/// The paths that name what to predict with.
enum HTTPPath {
    static func target(_ path: String, defaultNamespace: String) -> RouteTarget? {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)[...]
        guard parts.popFirst() == "" else { return nil }
        var namespace = defaultNamespace
        if parts.first == "namespaces" {
            guard parts.count > 2, let name = decoded(parts[parts.startIndex + 1]), !name.isEmpty else { return nil }
            namespace = name
            parts = parts.dropFirst(2)
        }
        guard parts.count == 3, parts.popFirst() == "gateway",
            let kind = parts.popFirst().flatMap({ RouteTarget.Kind(rawValue: String($0)) }),
            let name = parts.popFirst().flatMap(decoded), !name.isEmpty
        else { return nil }
        return RouteTarget(kind, ObjectKey(namespace, name))
    }

    /// The text behind percent-encoding; nil where that is broken.
    static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hex), let low = rest.popFirst().flatMap(hex) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
