// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging
import ServiceLifecycle
import Synchronization
package import Wire

/// Asks pods that were left out whether they live, so that no request has to find out.
///
/// First after half a second, then half as often each time down to every ten seconds, until the pod answers or its Service has it no
/// more. The question is gRPC's health check; any answer but UNAVAILABLE is one, also that the method is unknown.
package final class PodProber: ServiceLifecycle.Service, Sendable {
    private static let path = "/grpc.health.v1.Health/Check"
    private static let most = 1024

    private let upstreams: GRPCUpstreams
    private let dice: Dice
    private let first: Duration
    private let cap: Duration
    private let logger: Logger
    private let patients = Lane<Patient>()
    private let count = Atomic<Int>(0)

    private struct Patient: Sendable {
        var pod: Pod
        var address: SocketAddress
        var pause: Duration
    }

    package init(
        over upstreams: GRPCUpstreams, dice: Dice = Dice(), first: Duration = .milliseconds(500), cap: Duration = .seconds(10),
        logger: Logger
    ) {
        self.upstreams = upstreams
        self.dice = dice
        self.first = first
        self.cap = cap
        self.logger = logger
    }

    /// Leaves the pod out until it answers. One that finds no room among those that are asked comes back after the longest pause.
    ///
    /// - Parameter suspected: whether it can be reached, and is left out for what it answers: then it is asked less soon.
    func eject(_ pod: Pod, at address: SocketAddress, suspected: Bool = false) {
        let now = PodClock.now
        guard pod.eject(until: .max, now: now) else { return }
        logger.info("pod left out", metadata: ["pod": "\(address)", "reason": suspected ? "failures" : "no connection"])
        let patient = Patient(pod: pod, address: address, pause: suspected ? min(cap, first * 10) : first)
        guard count.wrappingAdd(1, ordering: .relaxed).newValue <= Self.most, patients.put(patient) else {
            count.wrappingSubtract(1, ordering: .relaxed)
            _ = pod.eject(until: now + cap.nanoseconds, now: now)
            return
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while let patients = await self.patients.next() {
                    for patient in patients { group.addTask { await self.watch(patient) } }
                }
            }
        }
    }

    private func watch(_ patient: Patient) async {
        defer { count.wrappingSubtract(1, ordering: .relaxed) }
        var pause = patient.pause
        // It may have answered a request by itself, as the last one of a set of which all were left out.
        while !patient.pod.isGone, patient.pod.isEjected(at: PodClock.now) {
            // A fifth more or less, so that many gateways do not ask at once.
            let share = 0.8 + 0.4 * Double(dice.next() >> 11) * 0x1p-53
            do { try await Task.sleep(for: pause * share) } catch { return }
            if await isAlive(patient.address) {
                logger.info("pod is back", metadata: ["pod": "\(patient.address)"])
                return patient.pod.answered(now: PodClock.now)
            }
            pause = min(pause * 2, cap)
        }
    }

    private func isAlive(_ address: SocketAddress) async -> Bool {
        do throws(UpstreamError) {
            _ = try await upstreams.unary(to: address, path: Self.path, message: [], deadline: .now + .seconds(2))
            return true
        } catch {
            guard case .refused(let status) = error else { return false }
            return status.code != .unavailable
        }
    }
}
