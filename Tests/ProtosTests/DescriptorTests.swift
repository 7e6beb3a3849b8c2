// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Protos
import SwiftProtobuf
import Testing

struct DescriptorTests {
    @Test func `every service is told, and each symbol leads to its file and what that leans on`() throws {
        #expect(
            Set(Descriptors.all.services).isSuperset(of: [
                "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
                "hydrosphere.serving.gateway.GatewayService", "hydrosphere.serving.runtime.PredictionService",
                "inference.GRPCInferenceService", "tensorflow.serving.PredictionService",
            ]))
        func names(_ symbol: String) throws -> Set<String> {
            let files = try #require(Descriptors.all.files(defining: symbol))
            return Set(try files.map { try Google_Protobuf_FileDescriptorProto(serializedBytes: $0).name })
        }
        let inference: Set = ["inference/service.proto", "inference/infer.proto", "inference/metadata.proto"]
        #expect(try names("inference.GRPCInferenceService") == inference)
        #expect(try names("inference.GRPCInferenceService.ModelInfer") == inference)
        #expect(try names("inference.ModelInferRequest.InferInputTensor") == ["inference/infer.proto"])
        #expect(try names("tensorflow.serving.ModelSpec").contains("google/protobuf/wrappers.proto"))
        #expect(Descriptors.all.files(defining: "inference.Nobody") == nil)
        #expect(Descriptors.all.files(named: "nowhere.proto") == nil)
    }
}
