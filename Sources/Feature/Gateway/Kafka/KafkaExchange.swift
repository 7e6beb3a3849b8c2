// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import HydroAPI
import JSON
import Kafka
import KubeCore
import Protos
import Telemetry
import Wire

/// Turns records into predictions and what comes of them into records.
struct KafkaExchange: Sendable {
    let core: FrontCore
    let wish: KafkaWish
    let requestTimeout: Duration

    /// How a record's value is written; the answer is written likewise.
    enum Form: String, Sendable {
        case json = "application/json"
        case protobuf = "application/x-protobuf"

        /// By the header `content-type`; JSON where there is none.
        init(header: String?) throws(PredictionError) {
            let type = (header ?? "").split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() } ?? ""
            switch type {
            case "", "application/json": self = .json
            case "application/x-protobuf", "application/protobuf", "application/grpc+proto", "application/grpc": self = .protobuf
            default:
                throw .malformed(
                    "header \"content-type\" wants application/json or application/x-protobuf, got \"\(type.prefix(100))\"")
            }
        }
    }

    /// Takes one record through the route, once.
    func predict(_ record: KafkaRecord, _ id: RequestID) async throws(PredictionError) -> KafkaMessage {
        var visit = core.open(.kafka)
        visit.requestID = id.text
        visit.target = RouteTarget(.application, wish.application)
        do throws(PredictionError) {
            let message = try await predict(record, id, &visit)
            core.close(visit, code: 200)
            return message
        } catch {
            core.close(visit, code: HTTPFault(error).status, error)
            throw error
        }
    }

    private func predict(_ record: KafkaRecord, _ id: RequestID, _ visit: inout Visit) async throws(PredictionError) -> KafkaMessage {
        let trail = VariantTrail()
        visit.trail = trail
        var prediction = Prediction(
            requestID: id, deadline: visit.began + requestTimeout, began: visit.began, headers: Self.headers(of: record))
        var random = core.dice
        prediction.trace = prediction.headers["traceparent"].flatMap(TraceContext.init(header:)).map { $0.child(using: &random) }
        // Who may write to the topic is for the brokers to say.
        prediction.isVouchedFor = true
        prediction.bytes = record.value?.count ?? 0
        try prediction.heedTimeout()
        let form = try Form(header: record.header("content-type"))
        guard let value = record.value else { throw .malformed("a record wants a value, got a tombstone") }
        let answer = try await core.serve(prediction, &visit) { (route) throws(PredictionError) in
            try Self.inputs(value, form, route)
        }
        var headers = [KafkaHeader("content-type", form.rawValue), KafkaHeader("x-request-id", id.text)]
        if let trace = prediction.trace { headers.append(KafkaHeader("traceparent", trace.description)) }
        headers.append(KafkaHeader("hydro-variant", trail.models))
        headers.append(KafkaHeader("hydro-latency-ms", Self.milliseconds(.now - visit.began)))
        headers += source(of: record)
        return KafkaMessage(
            topic: wish.entry.destinationTopic, key: record.key, value: try Self.value(of: answer, form), headers: headers)
    }

    /// The record for the error topic: the original's key, value and headers, and why there is no answer; nil without such a topic.
    func failure(_ record: KafkaRecord, _ id: RequestID, _ fault: HTTPFault) -> KafkaMessage? {
        guard let topic = wish.entry.errorTopic else { return nil }
        let added =
            [
                KafkaHeader("x-request-id", id.text), KafkaHeader("hydro-error", fault.error),
                KafkaHeader("hydro-error-code", "\(fault.status)"),
                KafkaHeader("hydro-error-message", String(fault.information.prefix(8192))),
            ] + source(of: record)
        let names = Set(added.map(\.name))
        return KafkaMessage(
            topic: topic, key: record.key, value: record.value, headers: record.headers.filter { !names.contains($0.name) } + added)
    }

    /// The record's own id, or a new one.
    func requestID(of record: KafkaRecord) -> RequestID {
        var random = core.dice
        return record.header("x-request-id").flatMap(RequestID.init(header:)) ?? RequestID(using: &random)
    }

    private func source(of record: KafkaRecord) -> [KafkaHeader] {
        [
            KafkaHeader("hydro-application", wish.application.name), KafkaHeader("hydro-namespace", wish.application.namespace),
            KafkaHeader("hydro-source-topic", record.partition.topic),
            KafkaHeader("hydro-source-partition", "\(record.partition.number)"), KafkaHeader("hydro-source-offset", "\(record.offset)"),
        ]
    }

    private static func inputs(_ value: [UInt8], _ form: Form, _ route: Route) throws(PredictionError) -> WireTensors {
        switch form {
        case .json:
            do throws(TensorJSONError) { return WireTensors(try TensorJSON.read(value, as: route.signature.inputs)) } catch {
                switch error {
                case .malformed(let reason): throw .malformed("the value wants one JSON object of fields, got something else: \(reason)")
                case .violations(let violations): throw .invalidInput(violations)
                }
            }
        case .protobuf:
            do throws(ProtoError) { return try WireTensors(scanning: value[...]) } catch {
                throw .malformed("the value wants a PredictRequest, got something else: \(error)")
            }
        }
    }

    private static func value(of answer: Answer, _ form: Form) throws(PredictionError) -> [UInt8] {
        do throws(ProtoError) {
            guard form == .json else { return try answer.outputs.message() }
            return TensorJSON.write(try answer.outputs.tensors(), as: answer.route.signature.outputs)
        } catch {
            throw .brokenContract(model: answer.route.target.key.name, "\(error)")
        }
    }

    /// Headers as a request has them: names in lower case; of values that are no text nothing can be told.
    private static func headers(of record: KafkaRecord) -> WireHeaders {
        var headers = WireHeaders()
        for header in record.headers { headers.append(header.name, String(decoding: header.value, as: UTF8.self)) }
        return headers
    }

    /// `12.345`
    private static func milliseconds(_ span: Duration) -> String {
        let micros = span.components.seconds * 1_000_000 + span.components.attoseconds / 1_000_000_000_000
        let rest = String(micros % 1000)
        return "\(micros / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}

extension HTTPFault {
    /// What could not be written for the broker's limit.
    init(tooLarge error: KafkaError, to topic: String) {
        self.init(error: "ResultTooLarge", information: "topic \"\(topic)\" does not take the result: \(error)")
        status = 413
    }
}

/// Whether a failed prediction may succeed when it is tried again.
enum KafkaPatience: Equatable {
    /// A failure at once: the same record fails the same way.
    case none
    /// Nothing has run yet: pods are away, or busy.
    case wait
    /// It may have run, and may be what breaks the model: a few more times.
    case few

    init(_ error: PredictionError) {
        switch error {
        case .unknown, .notReady, .unavailable, .abandoned: self = .wait
        case .lost, .deadlineExceeded: self = .few
        case .modelFailed(_, let status):
            switch status.code {
            case .unavailable, .resourceExhausted: self = .wait
            case .deadlineExceeded, .aborted, .cancelled: self = .few
            default: self = .none
            }
        default: self = [429, 503].contains(HTTPFault(error).status) ? .wait : .none
        }
    }
}
