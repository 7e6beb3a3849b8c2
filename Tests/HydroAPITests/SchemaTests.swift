// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Foundation
import HydroAPI
import JSON
import KubeCore
import Testing
import Yaml

/// A kind as `crds/` has it.
private struct Schema {
    let root: JSONValue

    init(_ kind: String) throws {
        let crd = try #require(try YamlParser.documents(Repository.bytes("crds/\(kind).yaml")).first)
        guard case .array(let versions)? = crd["spec"]?["versions"] else { throw Missing(what: "versions") }
        root = try #require(versions.first?["schema"]?["openAPIV3Schema"])
    }

    /// The schema of a field; lists are looked through.
    func at(_ path: String) throws -> JSONValue {
        try path.split(separator: ".").reduce(root) { node, name in
            let field = try #require((node["items"] ?? node)["properties"]?[String(name)], "\(path): no field \(name)")
            return field
        }
    }

    func names(at path: String) throws -> Set<String> {
        let node = try at(path)
        guard case .object(let members)? = (node["items"] ?? node)["properties"] else { throw Missing(what: path) }
        return Set(members.keys)
    }

    func choices(at path: String) throws -> Set<String> {
        guard case .array(let choices)? = try at(path)["enum"] else { throw Missing(what: path) }
        return Set(choices.compactMap { if case .string(let text) = $0 { text } else { nil } })
    }

    struct Missing: Error { var what: String }
}

private enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: root.appending(path: path))) }
}

/// A record of ours and where its schema is.
struct Place: Sendable, CustomTestStringConvertible {
    var kind: String
    var path: String
    var names: Set<String>

    init<Record: JSONRecord>(_ kind: String, _ path: String, _ record: Record.Type) {
        self.kind = kind
        self.path = path
        names = Set(Record.fields.list.map(\.name))
    }

    var testDescription: String { "\(kind).\(path)" }

    static let all: [Place] = [
        Place("model", "spec", Model.Spec.self), Place("model", "status", Model.Status.self),
        Place("model", "spec.runtime", RuntimeChoice.self), Place("model", "spec.source", ModelSource.self),
        Place("model", "spec.source.http", ModelSource.HTTP.self), Place("model", "spec.source.s3", ModelSource.S3.self),
        Place("model", "spec.source.git", ModelSource.Git.self), Place("model", "spec.source.oci", ModelSource.OCIArtifact.self),
        Place("model", "spec.install", Install.self), Place("model", "spec.signature", Signature.self),
        Place("model", "spec.signature.inputs", Field.self), Place("model", "spec.signature.outputs.subfields", Field.self),
        Place("model", "status.conditions", Condition.self),
        Place("modelversion", "spec", ModelVersion.Spec.self), Place("modelversion", "status", ModelVersion.Status.self),
        Place("modelversion", "spec.source", ModelVersion.Source.self), Place("modelversion", "spec.runtime", ResolvedRuntime.self),
        Place("modelversion", "status.image", ModelVersion.Image.self), Place("modelversion", "status.failure", ModelVersion.Failure.self),
        Place("runtime", "spec", Runtime.Spec.self), Place("runtime", "status", Runtime.Status.self),
        Place("runtime", "spec.probes", RuntimeProbes.self), Place("runtime", "spec.probes.startup", RuntimeProbe.self),
        Place("runtime", "spec.probes.startup.http", RuntimeProbe.HTTP.self),
        Place("runtime", "spec.probes.liveness.grpc", RuntimeProbe.GRPC.self),
        Place("runtime", "spec.resources", Resources.self),
        Place("servable", "spec", Servable.Spec.self), Place("servable", "status", Servable.Status.self),
        Place("application", "spec", Application.Spec.self), Place("application", "status", Application.Status.self),
        Place("application", "spec.stages", Application.Stage.self), Place("application", "spec.stages.variants", Application.Variant.self),
        Place("application", "spec.stages.variants.shadow", Application.Shadow.self),
        Place("application", "spec.sticky", Application.Sticky.self),
        Place("application", "spec.concurrency", Application.Concurrency.self),
        Place("application", "spec.access.tokenReview", Application.Access.TokenReview.self),
        Place("application", "spec.access.jwt", Application.Access.JWT.self),
        Place("application", "spec.kafka", Application.KafkaEntry.self),
        Place("application", "status.activeRoute.concurrency", Application.Concurrency.self),
        Place("application", "status.activeRoute.access.tokenReview", Application.Access.TokenReview.self),
        Place("application", "status.activeRoute.access.jwt", Application.Access.JWT.self),
        Place("application", "status.activeRoute.kafka", Application.KafkaEntry.self),
        Place("application", "status.stages", Application.StageStatus.self),
        Place("application", "status.stages.variants", Application.VariantStatus.self),
        Place("application", "status.activeRoute", ActiveRoute.self),
        Place("application", "status.activeRoute.stages", ActiveRoute.Stage.self),
        Place("application", "status.activeRoute.stages.variants", ActiveRoute.Variant.self),
        Place("application", "status.activeRoute.signature.inputs", Field.self),
        Place("deploymentconfiguration", "spec", DeploymentConfiguration.Spec.self),
        Place("deploymentconfiguration", "spec.container", DeploymentConfiguration.ContainerPart.self),
        Place("deploymentconfiguration", "spec.pod", DeploymentConfiguration.PodPart.self),
        Place("deploymentconfiguration", "spec.deployment", DeploymentConfiguration.DeploymentPart.self),
        Place("deploymentconfiguration", "spec.hpa", DeploymentConfiguration.Autoscaling.self),
    ]
}

struct SchemaTests {
    // A member that the schema does not have would be dropped by the server without a word.
    @Test(arguments: Place.all) func `every member that we write is in the schema`(place: Place) throws {
        #expect(place.names.subtracting(try Schema(place.kind).names(at: place.path)) == [])
    }

    @Test func `the types that a field may have are those of the contract`() throws {
        let wanted = Set(DataType.known.map(\.rawValue))
        for kind in ["model", "modelversion"] {
            #expect(try Schema(kind).choices(at: "spec.signature.inputs.dtype") == wanted)
            #expect(try Schema(kind).choices(at: "spec.signature.outputs.subfields.dtype") == wanted)
        }
        #expect(try Schema("model").choices(at: "spec.signature.inputs.profile") == Set(ProfileType.allCases.map(\.rawValue)))
    }

    @Test func `the protocols and the phases are ours`() throws {
        let protocols = Set(RuntimeProtocol.allCases.map(\.rawValue))
        #expect(try Schema("runtime").choices(at: "spec.protocol") == protocols)
        #expect(try Schema("model").choices(at: "spec.runtime.protocol") == protocols)
        #expect(try Schema("servable").choices(at: "status.protocol") == protocols)
        #expect(try Schema("application").choices(at: "status.activeRoute.stages.variants.protocol") == protocols)
        let phases = Set([ModelVersion.Phase.assembling, .released, .failed].map(\.rawValue))
        #expect(try Schema("modelversion").choices(at: "status.phase") == phases)
    }

    @Test func `defaults are those of our values`() throws {
        #expect(try Schema("model").at("spec.versionHistoryLimit")["default"] == .int(Int64(Model.Spec().versionHistoryLimit)))
        #expect(try Schema("model").at("spec.signature.name")["default"] == .string(Signature.defaultName))
        #expect(try Schema("application").at("spec.timeout")["default"] == .string(Application.Spec().timeout))
        #expect(
            try Schema("application").at("spec.stages.variants.shadow.percent")["default"] == .int(Int64(Application.Shadow().percent)))
        #expect(try Schema("runtime").at("spec.port")["default"] == .int(Int64(Runtime.Spec().port)))
        #expect(try Schema("runtime").at("spec.protocol")["default"] == .string(Runtime.Spec().protocol.rawValue))
        #expect(try Schema("runtime").at("spec.probes.startup.http.path")["default"] == .string(RuntimeProbe.HTTP().path))
    }

    @Test(arguments: ["examples/tumour/model.yaml", "examples/tumour/latest.yaml", "examples/tumour/application.yaml"])
    func `an example is read`(path: String) throws {
        for document in try YamlParser.documents(Repository.bytes(path)) {
            if document["kind"] == .string("Model") {
                let model = try Model.decode(json: document.json())
                #expect(model.spec.signature?.inputs.isEmpty == false && model.spec.source.given == ["configMap"])
            } else {
                #expect(try Application.decode(json: document.json()).spec.stages.isEmpty == false)
            }
        }
    }
}
