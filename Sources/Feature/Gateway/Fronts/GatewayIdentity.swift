// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import Protos

/// What the gateway says of itself to callers.
enum GatewayIdentity {
    static let name = "hydro-gateway"
    /// The same as the chart's.
    static let version = "0.1.0"
    /// What is understood beside the Open Inference Protocol's core.
    static let extensions = ["binary_tensor_data", "statistics"]

    static var metadata: Inference_ServerMetadataResponse {
        var metadata = Inference_ServerMetadataResponse()
        metadata.name = name
        metadata.version = version
        metadata.extensions = extensions
        return metadata
    }

    static let buildInfo: [UInt8] = {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("name")
        writer.string(name)
        writer.key("version")
        writer.string(version)
        writer.endObject()
        return writer.bytes
    }()
}
