// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
import Kafka
import KubeCore
import Synchronization

/// How every entry stands now: what the admin port shows at `/kafka`.
package final class KafkaBoard: Sendable {
    private let entries = Mutex<[KafkaWish: KafkaReport.Entry]>([:])

    package init() {}

    /// As JSON: `{"entries": […]}`, in the order of their applications.
    package var report: KafkaReport {
        var report = KafkaReport()
        report.entries = entries.withLock { entries in
            entries.values.sorted { ($0.namespace, $0.application, $0.sourceTopic) < ($1.namespace, $1.application, $1.sourceTopic) }
        }
        return report
    }

    func begin(_ wish: KafkaWish) {
        entries.withLock { entries in if entries[wish] == nil { entries[wish] = KafkaReport.Entry(wish) } }
    }

    func end(_ wish: KafkaWish) { entries.withLock { $0[wish] = nil } }

    /// Whether that is news.
    func tell(_ trouble: KafkaTrouble?, of wish: KafkaWish) -> Bool {
        entries.withLock { entries in
            let before = entries[wish].map { ($0.state, $0.message) }
            entries[wish]?.state = trouble?.state ?? .consuming
            entries[wish]?.message = trouble?.message ?? ""
            return before.map { $0 != (trouble?.state ?? .consuming, trouble?.message ?? "") } ?? false
        }
    }

    func tell(_ seen: KafkaConsumerStatistics, of wish: KafkaWish) {
        entries.withLock { entries in
            entries[wish]?.partitions = seen.partitions
            entries[wish]?.inFlight = seen.inFlight
            entries[wish]?.lag = seen.lag
            entries[wish]?.paused = seen.isPaused
        }
    }
}

extension KafkaReport.Entry {
    fileprivate init(_ wish: KafkaWish) {
        self.init()
        namespace = wish.application.namespace
        application = wish.application.name
        bootstrapServers = wish.entry.bootstrapServers
        sourceTopic = wish.entry.sourceTopic
        destinationTopic = wish.entry.destinationTopic
        errorTopic = wish.entry.errorTopic
        consumerGroup = wish.group
        secretName = wish.entry.secretName
    }
}
