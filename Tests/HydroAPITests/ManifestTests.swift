// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Foundation
import HydroAPI
import JSON
import KubeCore
import Testing
import Yaml

/// What users apply must be read by the operator, field for field.
struct ManifestTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func documents(_ path: String) throws -> [JSONValue] {
        try YamlParser.documents([UInt8](Data(contentsOf: root.appending(path: path))))
    }

    @Test(arguments: ["examples/tumour/model.yaml", "examples/tumour/application.yaml", "examples/tumour/latest.yaml"])
    func `an example is read without losing a field`(path: String) throws {
        for document in try Self.documents(path) {
            let json = document.json()
            let again: [UInt8]
            switch document["kind"]?.string {
            case "Model": again = try Model.decode(json: json).json()
            case "Application": again = try Application.decode(json: json).json()
            default:
                Issue.record("no such kind: \(document["kind"]?.string ?? "none")")
                continue
            }
            #expect(Ownership.difference(wanted: document, found: try JSONValue.decode(json: again)) == nil)
        }
    }

    @Test(arguments: ["application", "deploymentconfiguration", "model", "modelversion", "runtime", "servable"])
    func `each kind's CRD bears the names that the operator asks for`(name: String) throws {
        let crd = try #require(try Self.documents("crds/\(name).yaml").first)
        let kinds = [
            Application.kind, DeploymentConfiguration.kind, Model.kind, ModelVersion.kind, Runtime.kind, Servable.kind,
        ]
        let kind = try #require(kinds.first { $0.kind == crd["spec"]?["names"]?["kind"]?.string })
        #expect(crd["spec"]?["group"]?.string == kind.group)
        #expect(crd["spec"]?["names"]?["plural"]?.string == kind.plural)
        #expect(crd["spec"]?["versions"]?.array?.first?["name"]?.string == kind.version)
    }
}

struct ValidationTests {
    private func model(_ change: (inout Model.Spec) -> Void) -> [String] {
        var spec = Model.Spec()
        spec.runtime = RuntimeChoice()
        spec.runtime?.name = "python"
        spec.source.configMap = LocalRef("files")
        change(&spec)
        return spec.problems()
    }

    @Test func `a plain model has no problems`() { #expect(model { _ in } == []) }

    @Test func `two sources are one too many`() {
        let problems = model {
            $0.source.http = ModelSource.HTTP()
        }
        #expect(problems == ["source wants exactly one of configMap, http, s3, git, oci, external, got configMap and http"])
    }

    @Test func `a model that runs elsewhere needs a signature`() {
        let problems = model {
            $0.source = ModelSource()
            $0.source.external = ModelSource.External()
            $0.runtime = nil
        }
        #expect(problems == ["a model that runs elsewhere wants a signature, got none"])
    }

    @Test func `several problems are told at once`() {
        let problems = model {
            $0.runtime?.image = "x"
            $0.versionHistoryLimit = 0
        }
        #expect(problems.count == 2)
    }
}
