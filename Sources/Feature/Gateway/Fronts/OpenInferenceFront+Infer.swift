// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import Protos
import Wire

// Predictions.
extension OpenInferenceFront {
    func infer(_ request: WireRequest, _ name: String, _ version: String?, in namespace: String) async -> WireResponse {
        FrontCore.refusal(.notOffered("predictions over HTTP are not here yet: wanted gRPC"), as: .openInference)
    }
}
