// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import JSON
import KubeCore

/// The OpenAPI 3.1 description of one application, made from its signature.
struct OpenAPIDocument {
    let route: Route
    /// What comes before the paths: nothing in the default namespace.
    private let prefix: String

    init(of route: Route, defaultNamespace: String) {
        self.route = route
        let namespace = route.target.key.namespace
        prefix = namespace == defaultNamespace ? "" : "/namespaces/\(namespace)"
    }

    private var name: String { route.target.key.name }

    func json() -> [UInt8] {
        var writer = JSONWriter(reserving: 8192)
        writer.object {
            $0.member("openapi", "3.1.0")
            $0.object("info") {
                $0.member("title", name)
                $0.member("version", GatewayIdentity.version)
                $0.member("description", "Predictions of the application \"\(name)\" in the namespace \"\(route.target.key.namespace)\".")
            }
            $0.object("paths") { writePaths(&$0) }
            $0.object("components") { writeComponents(&$0) }
        }
        return writer.bytes
    }

    private func writePaths(_ writer: inout JSONWriter) {
        writer.object("\(prefix)/gateway/application/\(name)") {
            $0.object("post") {
                write("predict", "One JSON object with a member for every input; the answer has one for every output.", &$0)
                writeBody("Inputs", &$0, example: TensorJSON.write(route.signature.sampleInputs(), as: route.signature.inputs))
                writeAnswers("Outputs", fault: "Fault", &$0)
            }
        }
        writer.object("\(prefix)/v2/models/\(name)") {
            $0.object("get") {
                write(
                    "modelMetadata", "The application's tensors, as the Open Inference Protocol describes them.", &$0, isPrediction: false)
                writeAnswers("ModelMetadata", fault: "InferFault", &$0, isPrediction: false)
            }
        }
        writer.object("\(prefix)/v2/models/\(name)/infer") {
            $0.object("post") {
                write("infer", "The Open Inference Protocol. Tensors may also be binary: see its binary tensor data extension.", &$0)
                writeBody("InferRequest", &$0, example: nil)
                writeAnswers("InferResponse", fault: "InferFault", &$0)
            }
        }
    }

    private func write(_ operation: String, _ description: String, _ writer: inout JSONWriter, isPrediction: Bool = true) {
        writer.member("operationId", operation)
        writer.member("description", description)
        // Access guards predictions; what goes in and out of them is no secret.
        guard isPrediction, route.needsToken else { return }
        writer.array("security") { $0.object { $0.array("bearer") { _ in } } }
    }

    private func writeBody(_ schema: String, _ writer: inout JSONWriter, example: [UInt8]?) {
        writer.object("requestBody") {
            $0.flag("required", true)
            writeContent(schema, &$0, example: example)
        }
    }

    private func writeContent(_ schema: String, _ writer: inout JSONWriter, example: [UInt8]? = nil) {
        writer.object("content") {
            $0.object("application/json") {
                $0.object("schema") { $0.member("$ref", "#/components/schemas/\(schema)") }
                // An example of a picture is no help to anybody.
                guard let example, example.count <= 16_384 else { return }
                $0.key("example")
                $0.raw(example)
            }
        }
    }

    private func writeAnswers(_ schema: String, fault: String, _ writer: inout JSONWriter, isPrediction: Bool = true) {
        var faults = ["404": "There is no such application.", "503": "It is not ready, or no pod took the request."]
        if isPrediction {
            faults["400"] = "The request is not what the signature declares; the sentence names every field."
            faults["413"] = "The body is too large."
            faults["429"] = "The application, or its model, has too much to do."
            faults["500"] = "The model failed."
            faults["502"] = "The model's answer was lost, or is not what the signature declares."
            faults["504"] = "No answer in time."
        }
        if isPrediction, route.needsToken {
            faults["401"] = "There is no token, or none that is accepted."
            faults["403"] = "The token's owner may not ask this application."
        }
        writer.object("responses") {
            $0.object("200") {
                $0.member("description", "The answer.")
                writeContent(schema, &$0)
            }
            for (status, description) in faults.sorted(by: { $0.key < $1.key }) {
                $0.object(status) {
                    $0.member("description", description)
                    writeContent(fault, &$0)
                }
            }
        }
    }

    private func writeComponents(_ writer: inout JSONWriter) {
        writer.object("schemas") {
            $0.object("Inputs") { OpenAPISchema.write(route.signature.inputs, isInput: true, to: &$0) }
            $0.object("Outputs") { OpenAPISchema.write(route.signature.outputs, isInput: false, to: &$0) }
            OpenAPISchema.writeOpenInference(route.signature, to: &$0)
            $0.object("Fault") { OpenAPISchema.writeStrings(["error", "information"], to: &$0) }
            $0.object("InferFault") { OpenAPISchema.writeStrings(["error"], to: &$0) }
        }
        guard route.needsToken else { return }
        writer.object("securitySchemes") {
            $0.object("bearer") {
                $0.member("type", "http")
                $0.member("scheme", "bearer")
            }
        }
    }
}

extension Route {
    /// Whether callers must show a token.
    var needsToken: Bool { !access.isEmpty }
}
