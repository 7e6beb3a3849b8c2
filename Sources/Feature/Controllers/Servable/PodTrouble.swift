// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import KubeCore

/// Why pods do not become ready, as one sentence and a reason from a closed list.
package struct PodTrouble: Equatable, Sendable {
    package enum Reason: String, Sendable, CaseIterable {
        case imagePullFailed = "ImagePullFailed"
        case containerInvalid = "ContainerInvalid"
        case outOfMemory = "OutOfMemory"
        case crashing = "Crashing"
        case unschedulable = "Unschedulable"
        case probeFailing = "ProbeFailing"
        case podsRejected = "PodsRejected"
    }

    package var reason: Reason
    package var message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The trouble that explains most; nil while nothing is wrong yet.
    package static func of(deployment: Deployment?, pods: [Pod]) -> PodTrouble? {
        let failure = deployment?.status.conditions.first { $0.type == "ReplicaFailure" && $0.status == "True" }
        if let failure { return PodTrouble(.podsRejected, failure.message) }
        let trouble = pods.sorted { $0.key < $1.key }.lazy.filter { !$0.isBeingDeleted }.compactMap(of(pod:)).first
        return trouble ?? late(deployment)
    }

    /// Pods that run, and do not become ready in time: all that is left is that they don't pass their probe.
    private static func late(_ deployment: Deployment?) -> PodTrouble? {
        let progress = deployment?.status.conditions.first { $0.type == "Progressing" }
        guard let progress, progress.status == "False", progress.reason == "ProgressDeadlineExceeded" else { return nil }
        return PodTrouble(.probeFailing, "pods run, but do not pass their readiness probe: \(progress.message)")
    }

    static func of(pod: Pod) -> PodTrouble? {
        let name = pod.metadata.name
        if let scheduled = pod.status.conditions.first(where: { $0.type == "PodScheduled" }), scheduled.status == "False" {
            return PodTrouble(.unschedulable, "pod \(name): \(scheduled.message)")
        }
        for container in pod.status.containerStatuses {
            if let trouble = of(container: container, pod: name) { return trouble }
        }
        return nil
    }

    private static func of(container: Pod.ContainerStatus, pod: String) -> PodTrouble? {
        let ended = container.state.terminated ?? container.lastState.terminated
        switch container.state.waiting?.reason {
        case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable":
            return PodTrouble(.imagePullFailed, "pod \(pod): \(container.state.waiting?.message ?? "")")
        case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
            return PodTrouble(.containerInvalid, "pod \(pod): \(container.state.waiting?.message ?? "")")
        default: break
        }
        guard let ended, !container.ready else { return nil }
        if ended.reason == "OOMKilled" {
            return PodTrouble(.outOfMemory, "pod \(pod): ran out of memory, \(container.restartCount) restarts")
        }
        guard container.restartCount > 0 || container.state.terminated != nil else { return nil }
        let tail = ended.message.isEmpty ? "no last words" : String(ended.message.suffix(600))
        return PodTrouble(.crashing, "pod \(pod): exit code \(ended.exitCode), \(container.restartCount) restarts: \(tail)")
    }
}
