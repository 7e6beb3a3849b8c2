// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Protos
import Wire

/// The Open Inference Protocol over HTTP, `/v2/**`. An error is `{"error": sentence}`.
struct OpenInferenceFront: Sendable {
    let core: FrontCore

    func respond(to request: WireRequest, at place: OpenInferencePlace, in namespace: String) async -> WireResponse {
        let models = ModelCatalogue(core: core, namespace: namespace)
        switch place {
        case .model(let name, let version, .infer): return await infer(request, name, version, in: namespace)
        case .live: return page(request) { OpenInferenceJSON.flag("live", true) }
        case .ready: return readiness(request, "ready", core.isReady)
        case .server: return page(request) { OpenInferenceJSON.server }
        case .model(let name, let version, .metadata):
            return page(request) { () throws(PredictionError) in OpenInferenceJSON.write(try models.metadata(of: name, version)) }
        case .model(let name, let version, .ready):
            do throws(PredictionError) { return readiness(request, "ready", try models.isReady(name, version), name: name) } catch {
                return FrontCore.refusal(error, as: .openInference)
            }
        case .model(let name, let version, .stats):
            return page(request) { () throws(PredictionError) in OpenInferenceJSON.write(try models.statistics(of: name, version)) }
        case .statistics:
            return page(request) { () throws(PredictionError) in OpenInferenceJSON.write(try models.statistics(of: nil, nil)) }
        case .repositoryIndex: return index(request, models)
        case .repositoryModel: return FrontCore.refusal(.notOffered(ModelCatalogue.declared), as: .openInference)
        case .model(_, _, .config):
            return FrontCore.refusal(.notOffered(ModelCatalogue.foreign("configuration of models")), as: .openInference)
        case .foreign(let topic): return FrontCore.refusal(.notOffered(ModelCatalogue.foreign(topic)), as: .openInference)
        }
    }

    private func page(_ request: WireRequest, _ body: () throws(PredictionError) -> [UInt8]) -> WireResponse {
        core.page(request, as: .openInference, body)
    }

    /// Who is not ready says so with 503: clients look at nothing else.
    private func readiness(_ request: WireRequest, _ word: String, _ isReady: Bool, name: String? = nil) -> WireResponse {
        var response = page(request) { OpenInferenceJSON.flag(word, isReady, name: name) }
        if response.status == 200, !isReady { response.status = 503 }
        return response
    }

    private func index(_ request: WireRequest, _ models: ModelCatalogue) -> WireResponse {
        do throws(PredictionError) {
            try request.mustBe("POST")
            let isReadyOnly = try OpenInferenceJSON.isReadyOnly(request.body)
            return WireResponse(headers: FrontCore.jsonHead, body: OpenInferenceJSON.write(models.index(isReadyOnly: isReadyOnly)))
        } catch { return FrontCore.refusal(error, as: .openInference) }
    }
}

/// What is answered beside predictions, as JSON.
enum OpenInferenceJSON {
    static let server: [UInt8] = {
        var writer = JSONWriter()
        writer.object {
            $0.member("name", GatewayIdentity.name)
            $0.member("version", GatewayIdentity.version)
            $0.array("extensions") { for each in GatewayIdentity.extensions { $0.string(each) } }
        }
        return writer.bytes
    }()

    static func flag(_ word: String, _ isSo: Bool, name: String? = nil) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            if let name { $0.member("name", name) }
            $0.flag(word, isSo)
        }
        return writer.bytes
    }

    static func write(_ model: Inference_ModelMetadataResponse) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("name", model.name)
            $0.array("versions") { for version in model.versions { $0.string(version) } }
            $0.member("platform", model.platform)
            for (word, tensors) in [("inputs", model.inputs), ("outputs", model.outputs)] {
                $0.array(word) {
                    for tensor in tensors {
                        $0.object {
                            $0.member("name", tensor.name)
                            $0.member("datatype", tensor.datatype)
                            $0.array("shape") { for dim in tensor.shape { $0.int(dim) } }
                        }
                    }
                }
            }
        }
        return writer.bytes
    }

    static func write(_ entries: [Inference_RepositoryIndexResponse.ModelIndex]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for entry in entries {
            writer.object {
                $0.member("name", entry.name)
                $0.member("version", entry.version)
                $0.member("state", entry.state)
                $0.member("reason", entry.reason)
            }
        }
        writer.endArray()
        return writer.bytes
    }

    static func write(_ all: [Inference_ModelStatistics]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.array("model_stats") {
                for each in all {
                    $0.object {
                        $0.member("name", each.name)
                        $0.member("version", each.version)
                        $0.count("inference_count", each.inferenceCount)
                        $0.count("execution_count", each.executionCount)
                        $0.object("inference_stats") {
                            $0.duration("success", each.inferenceStats.success)
                            $0.duration("fail", each.inferenceStats.fail)
                            $0.duration("compute_infer", each.inferenceStats.computeInfer)
                        }
                        $0.array("batch_stats") { _ in }
                    }
                }
            }
        }
        return writer.bytes
    }

    /// What a `v2/repository/index` request asks for: `{"ready": bool}`, or nothing.
    static func isReadyOnly(_ body: [UInt8]) throws(PredictionError) -> Bool {
        guard !body.isEmpty else { return false }
        var flag = false
        do throws(JSONError) {
            try JSONReader.read(body) { (reader) throws(JSONError) in
                try reader.object { (reader, key) throws(JSONError) in
                    guard key.elementsEqual("ready".utf8) else { return false }
                    flag = try reader.bool()
                    return true
                }
            }
        } catch { throw .malformed("the body wants an object with \"ready\", or nothing, got something else: \(error)") }
        return flag
    }
}

extension JSONWriter {
    fileprivate mutating func count(_ name: String, _ number: UInt64) {
        key(name)
        int(number)
    }

    fileprivate mutating func duration(_ name: String, _ duration: Inference_StatisticDuration) {
        object(name) {
            $0.count("count", duration.count)
            $0.count("ns", duration.ns)
        }
    }
}
