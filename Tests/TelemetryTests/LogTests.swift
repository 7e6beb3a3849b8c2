// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc
import JSON
import Logging
import Telemetry
import Testing

struct LogTests {
    static let time = LogTime(milliseconds: 1_700_000_000_007)

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"), (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ])
    func `time is RFC 3339`(milliseconds: Int64, text: String) {
        #expect(LogTime(milliseconds: milliseconds).description == text)
    }

    @Test func `a JSON line keeps the shape of facts and its own members`() throws {
        let facts: Logger.Metadata = [
            "model": "iris", "time": "mine", "list": ["a", "b"], "nested": ["b": .stringConvertible(2), "a": "1"], "odd": "a\nb\"\u{1b}",
        ]
        let bytes = LogLine(time: Self.time, level: .warning, label: "kit", message: "image pushed", facts: facts).bytes(as: .json)
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(bytes.count { $0 == UInt8(ascii: "\n") } == 1)
        let expected: JSONValue = [
            "time": "2023-11-14T22:13:20.007Z", "level": "warning", "logger": "kit", "message": "image pushed", "model": "iris",
            "fact.time": "mine",
            "list": ["a", "b"], "nested": ["a": "1", "b": "2"], "odd": "a\nb\"\u{1b}",
        ]
        #expect(try JSONValue.decode(json: bytes.dropLast()) == expected)
    }

    @Test func `a text line is one line, whatever is in it`() {
        let line = LogLine(time: Self.time, level: .info, label: "kit", message: "a\nb", facts: ["x": "1\u{1b}[0m", "y": "two words"])
        #expect(
            String(decoding: line.bytes(as: .text), as: UTF8.self)
                == "2023-11-14T22:13:20.007Z INFO    a\\nb x=1\\u{1B}[0m y=\"two words\" (kit)\n")
    }

    @Test func `long strings are cut`() {
        let line = LogLine(time: Self.time, level: .info, label: "kit", message: String(repeating: "x", count: 100_000))
        #expect(line.bytes(as: .json).count < 9000)
        #expect(line.bytes(as: .text).count < 9000)
    }

    @Test func `the nearer fact wins, and lines reach the descriptor whole`() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let sink = LogSink(descriptor: ends[1])
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
        var logger = Logger(label: "kit") {
            LineLogHandler(label: $0, settings: LogSettings(level: .info), sink: sink, metadataProvider: provider)
        }
        logger[metadataKey: "b"] = "logger"
        logger[metadataKey: "c"] = "logger"
        logger.info("hello", metadata: ["c": "event"])
        logger.debug("not this one")
        close(ends[1])
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(ends[0], &buffer, buffer.count)
        close(ends[0])
        let value = try JSONValue.decode(json: Array(buffer.prefix(count).dropLast()))
        #expect([value["a"], value["b"], value["c"], value["message"]] == ["provider", "logger", "event", "hello"])
    }

    @Test func `a line that cannot be written is counted`() {
        let sink = LogSink(descriptor: -1)
        sink.write([65])
        #expect(sink.lostLines == 1)
    }

    @Test func `settings come from the environment, and a bad one is named`() throws {
        #expect(try LogSettings(environment: [:], isTerminal: true) == LogSettings(level: .info, format: .text))
        #expect(
            try LogSettings(environment: ["LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"], isTerminal: true)
                == LogSettings(level: .debug, format: .json))
        let error = #expect(throws: SettingError.self) { try LogSettings(environment: ["LOG_FORMAT": "xml"], isTerminal: false) }
        #expect(error?.description == "setting LOG_FORMAT wants one of json, text, got \"xml\"")
    }
}
