// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import Logging

/// Writes each event of swift-log as one line.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogLine.Format
    private let sink: LogSink

    package init(label: String, settings: LogSettings, sink: LogSink, metadataProvider: Logger.MetadataProvider? = nil) {
        self.label = label
        self.logLevel = settings.level
        self.format = settings.format
        self.sink = sink
        self.metadataProvider = metadataProvider
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// The nearer fact wins: the event's, then the logger's, then the provider's.
    package func log(event: LogEvent) {
        var facts = metadataProvider?.get() ?? [:]
        facts.merge(metadata) { _, nearer in nearer }
        facts.merge(event.metadata ?? [:]) { _, nearer in nearer }
        if let error = event.error, facts["error"] == nil { facts["error"] = "\(error)" }
        let line = LogLine(time: .now, level: event.level, label: label, message: event.message.description, facts: facts)
        sink.write(line.bytes(as: format))
    }
}
