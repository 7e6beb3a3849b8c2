// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import HydroAPI
package import KubeCore

/// How an Application's Kafka entries stand, from what the gateway's pods say of them.
package struct KafkaStanding: Equatable, Sendable {
    /// What each pod of the gateway said, by name; nil for one that did not answer.
    private let reports: [String: KafkaReport?]

    package init(_ reports: [String: KafkaReport?]) { self.reports = reports }

    /// The condition, or nil for an Application without entries. One that is in trouble anywhere is in trouble; one that nobody consumes yet
    /// is starting.
    package func condition(of application: ObjectKey, _ entries: [Application.KafkaEntry]) -> Condition? {
        guard !entries.isEmpty else { return nil }
        let answers = reports.sorted { $0.key < $1.key }.compactMap(\.value)
        guard !answers.isEmpty else {
            return Condition(
                ConditionType.kafkaReady, .unknown, reason: "GatewayUnreachable",
                message: "no pod of the gateway says how its consumers are")
        }
        var starting: String?
        for entry in entries {
            let seen = answers.compactMap { report in report.entries.first { $0.key == application && $0.speaks(of: entry) } }
            if let bad = seen.first(where: { $0.state != .consuming && $0.state != .starting }) {
                let count = seen.count { $0.state != .consuming && $0.state != .starting }
                let extent = count < answers.count ? " (\(count) of \(answers.count) gateway pods)" : ""
                return Condition(
                    ConditionType.kafkaReady, .false, reason: bad.state.rawValue,
                    message: "source topic \"\(entry.sourceTopic)\": \(bad.message)\(extent)")
            }
            if !seen.contains(where: { $0.state == .consuming }) { starting = starting ?? entry.sourceTopic }
        }
        if let starting { return Self.starting("no consumer of source topic \"\(starting)\" has joined its group yet") }
        return Condition(ConditionType.kafkaReady, .true, reason: KafkaState.consuming.rawValue)
    }

    package static func starting(_ message: String) -> Condition {
        Condition(ConditionType.kafkaReady, .unknown, reason: KafkaState.starting.rawValue, message: message)
    }
}

extension KafkaReport.Entry {
    fileprivate func speaks(of entry: Application.KafkaEntry) -> Bool {
        bootstrapServers == entry.bootstrapServers && sourceTopic == entry.sourceTopic && destinationTopic == entry.destinationTopic
            && errorTopic == entry.errorTopic && secretName == entry.secretName && consumerGroup == entry.group(of: key)
    }
}
