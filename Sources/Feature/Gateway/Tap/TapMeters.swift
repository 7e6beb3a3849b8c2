// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Metrics
import Protos

/// What the tap says of itself. Told by the drain, so that a prediction pays nothing for it.
struct TapMeters {
    let sent = Counter(label: "hydro_gateway_tap_sent_total")
    private let received = Counter(label: "hydro_gateway_tap_received_total")
    private let dropped = TapSubject.Loss.allCases.map {
        ($0, Counter(label: "hydro_gateway_tap_dropped_total", dimensions: [("reason", $0.rawValue)]))
    }
    private let connected = Meter(label: "hydro_gateway_tap_connected")
    private let waiting = Meter(label: "hydro_gateway_tap_waiting")
    private let bytes = Meter(label: "hydro_gateway_tap_bytes")
    private var told = TapMessages.Losses()
    private var toldReceived = 0

    /// - Parameter taken: records that have left the buffer since the start, by whatever way.
    mutating func tell(_ tap: Tap, _ losses: TapMessages.Losses, taken: Int) {
        for (loss, counter) in dropped where losses[loss] > told[loss] { counter.increment(by: losses[loss] - told[loss]) }
        told = losses
        if taken > toldReceived { received.increment(by: taken - toldReceived) }
        toldReceived = max(taken, toldReceived)
        connected.set(tap.isConnected ? 1 : 0)
        waiting.set(tap.waiting)
        bytes.set(tap.bytes)
    }
}
