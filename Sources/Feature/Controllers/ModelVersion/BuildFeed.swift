// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import KubeCore
import KubeRuntime
import ServiceLifecycle

/// Has a version looked at whenever its build moves.
struct BuildFeed: ServiceLifecycle.Service {
    let changes: AsyncStream<String>
    let queue: WorkQueue<ObjectKey>

    func run() async {
        for await key in changes.cancelOnGracefulShutdown() {
            let parts = key.split(separator: "/", maxSplits: 1).map(String.init)
            if parts.count == 2 { queue.add(ObjectKey(parts[0], parts[1])) }
        }
    }
}
