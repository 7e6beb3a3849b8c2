// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CYaml

/// One event of a YAML stream, copied out of the C parser.
struct YamlEvent {
    enum Payload {
        case documentStart, documentEnd, streamEnd
        case alias(String)
        case scalar(YamlScalar, anchor: String?)
        case sequenceStart(tag: String?, anchor: String?)
        case mappingStart(tag: String?, anchor: String?)
        case sequenceEnd, mappingEnd
    }

    var payload: Payload
    var line: Int
    var column: Int

    func failure(_ kind: YamlError.Kind, _ message: String) -> YamlError {
        YamlError(kind, message, line: line, column: column)
    }
}

/// libyaml's parser over one text: the only place that touches its memory.
final class YamlEvents {
    // One handle, owned here, freed once; the text is copied so that the handle may point at it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) throws(YamlError) {
        parser = .allocate(capacity: 1)
        text = .allocate(capacity: bytes.count)
        _ = text.initialize(from: bytes)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            text.deallocate()
            throw YamlError(.tooLarge, "wanted memory for a parser, found none", line: 1, column: 1)
        }
        yaml_parser_set_input_string(parser, UnsafePointer(text.baseAddress), text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    /// The next event; the stream's start is passed over.
    func next() throws(YamlError) -> YamlEvent {
        while true {
            var raw = yaml_event_t()
            guard yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
            defer { yaml_event_delete(&raw) }
            if let payload = Self.payload(of: raw) {
                return YamlEvent(payload: payload, line: raw.start_mark.line + 1, column: raw.start_mark.column + 1)
            }
        }
    }

    private static func payload(of raw: yaml_event_t) -> YamlEvent.Payload? {
        switch raw.type {
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias(string(raw.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_START_EVENT:
            return .sequenceStart(tag: string(raw.data.sequence_start.tag), anchor: string(raw.data.sequence_start.anchor))
        case YAML_MAPPING_START_EVENT:
            return .mappingStart(tag: string(raw.data.mapping_start.tag), anchor: string(raw.data.mapping_start.anchor))
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            let value = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(
                YamlScalar(text: value, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, tag: string(scalar.tag)),
                anchor: string(scalar.anchor))
        default: return nil
        }
    }

    private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }

    private func failure() -> YamlError {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "the text is not YAML"
        let context = state.context.map { " " + String(cString: $0) } ?? ""
        if state.error == YAML_READER_ERROR {
            // A byte that is no UTF-8 is met while reading ahead of the tokens: only its offset is known.
            let before = text[..<min(state.problem_offset, text.count)]
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            return YamlError(.syntax, problem, line: line, column: before.count - start + 1)
        }
        let kind: YamlError.Kind = state.error == YAML_MEMORY_ERROR ? .tooLarge : .syntax
        return YamlError(kind, problem + context, line: state.problem_mark.line + 1, column: state.problem_mark.column + 1)
    }
}
