// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CRdKafka
import Glibc
import Logging
import Synchronization

/// One librdkafka client, the thread that polls it, and what it said last of its brokers.
///
/// All of the library's callbacks come on that thread, since they are made by polling only.
final class KafkaClient: @unchecked Sendable {
    // SAFETY: `handle` may be used from any thread by the library's promise, and is destroyed once, by the thread that polls, after its
    // owner has stopped all other uses under the owner's lock. `onRebalance` and `onDelivery` are set before that thread starts and
    // read by it alone.

    let handle: OpaquePointer
    var onRebalance: ((rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> Void)?
    var onDelivery: ((UnsafePointer<rd_kafka_message_t>) -> Void)?
    private let trouble = Mutex<KafkaError?>(nil)
    private let log: Mutex<LogFunnel>

    init(_ type: rd_kafka_type_t, _ properties: [(String, String)], logger: Logger) throws(KafkaError) {
        log = Mutex(LogFunnel(logger: logger))
        guard let conf = rd_kafka_conf_new() else { throw KafkaError(.fatal, "wanted a configuration, found no memory") }
        do throws(KafkaError) { for (name, value) in properties { try Self.set(name, value, in: conf) } } catch {
            rd_kafka_conf_destroy(conf)
            throw error
        }
        Self.setCallbacks(conf, type)
        var text = [CChar](repeating: 0, count: 512)
        guard let made = rd_kafka_new(type, conf, &text, text.count) else {
            rd_kafka_conf_destroy(conf)
            throw KafkaError(.badSetting, Self.string(text))
        }
        handle = made
        rd_kafka_set_log_queue(made, nil)
    }

    private static func set(_ name: String, _ value: String, in conf: OpaquePointer) throws(KafkaError) {
        var text = [CChar](repeating: 0, count: 512)
        guard rd_kafka_conf_set(conf, name, value, &text, text.count) != RD_KAFKA_CONF_OK else { return }
        // The library's text repeats the value, which may be a password or a key.
        throw KafkaError(.badSetting, "the client library does not take the value given for \"\(name)\"")
    }

    private static func setCallbacks(_ conf: OpaquePointer, _ type: rd_kafka_type_t) {
        rd_kafka_conf_set_log_cb(conf) { handle, level, facility, text in
            guard let handle, let text else { return }
            KafkaClient.of(handle)?.note(level, facility.map { String(cString: $0) } ?? "", String(cString: text))
        }
        rd_kafka_conf_set_error_cb(conf) { handle, code, reason, _ in
            guard let handle else { return }
            KafkaClient.of(handle)?.failed(rd_kafka_resp_err_t(code), reason.map { String(cString: $0) } ?? "")
        }
        if type == RD_KAFKA_CONSUMER {
            rd_kafka_conf_set_rebalance_cb(conf) { handle, code, partitions, _ in
                guard let handle else { return }
                KafkaClient.of(handle)?.onRebalance?(code, partitions)
            }
        } else {
            rd_kafka_conf_set_dr_msg_cb(conf) { handle, message, _ in
                guard let handle, let message else { return }
                KafkaClient.of(handle)?.onDelivery?(message)
            }
        }
    }

    /// Callbacks find their object by the handle: their context is fixed before the object is whole.
    private static let clients = Mutex<[Int: Weak]>([:])
    private struct Weak { weak var client: KafkaClient? }

    private static func of(_ handle: OpaquePointer) -> KafkaClient? {
        let address = Int(bitPattern: handle)
        return clients.withLock { $0[address]?.client }
    }

    /// Starts the thread that polls. `body` returns when the client is to end, and the client is destroyed then.
    func start(named name: String, _ body: @escaping @Sendable () -> Void) {
        let address = Int(bitPattern: handle)
        Self.clients.withLock { $0[address] = Weak(client: self) }
        PollThread.start(named: name) { [self] in
            body()
            // A consumer has been closed by its body already.
            rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            Self.clients.withLock { $0[address] = nil }
            onRebalance = nil
            onDelivery = nil
        }
    }

    /// Destroys a client whose thread was never started.
    func discard() { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }

    /// The last thing that went wrong between client and brokers, since `clearTrouble`.
    var lastTrouble: KafkaError? { trouble.withLock { $0 } }

    /// The brokers answer: what was wrong is no more, but for what is fatal.
    func clearTrouble() { trouble.withLock { if $0?.kind != .fatal { $0 = nil } } }

    private func failed(_ code: rd_kafka_resp_err_t, _ reason: String) {
        var error = KafkaError(code, Self.settled(reason))
        if code == RD_KAFKA_RESP_ERR__FATAL {
            var text = [CChar](repeating: 0, count: 512)
            let cause = rd_kafka_fatal_error(handle, &text, text.count)
            error = KafkaError(.fatal, name: String(cString: rd_kafka_err2name(cause)), Self.string(text))
        }
        trouble.withLock { known in
            // That all are down says less than why the last one is.
            if known?.kind == .fatal || (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && known != nil) { return }
            known = error
        }
    }

    private func note(_ level: Int32, _ facility: String, _ text: String) {
        log.withLock { $0.note(level: level, facility, text, now: .now) }
    }

    /// A reason without the times and counts that end it, so that the same trouble has the same text.
    static func settled(_ reason: String) -> String {
        var text = reason[...]
        while let open = text.lastIndex(of: "("), text.hasSuffix(")"), text[open...].hasPrefix("(after ") { text = text[..<open] }
        return text.trimmed
    }

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The library's log lines, as our own at debug, so many in a while.
struct LogFunnel {
    static let window: Duration = .seconds(10)
    static let most = 10

    let logger: Logger
    private var begun: ContinuousClock.Instant?
    private var told = 0
    private var held = 0

    init(logger: Logger) { self.logger = logger }

    mutating func note(level: Int32, _ facility: String, _ text: String, now: ContinuousClock.Instant) {
        if let begun, now - begun < Self.window, told >= Self.most {
            held += 1
            return
        }
        if begun.map({ now - $0 >= Self.window }) ?? true { (begun, told) = (now, 0) }
        told += 1
        logger.debug("kafka client", metadata: ["facility": "\(facility)", "text": "\(text)", "level": "\(level)", "held": "\(held)"])
        held = 0
    }
}

/// A thread of its own for calls that block.
enum PollThread {
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }

    static func start(named name: String, _ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(name, body))
        let failure = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
                // The kernel keeps 15 bytes of a name and refuses more.
                crdkafka_name_thread(String(start.name.prefix(15)))
                start.body()
                return nil
            }, start.toOpaque())
        precondition(failure == 0, "wanted a thread, found error \(failure)")
        pthread_detach(thread)
    }
}

extension Substring {
    /// Without the spaces and colons that end it.
    fileprivate var trimmed: String {
        var text = self
        while let last = text.last, last == " " || last == ":" { text.removeLast() }
        return String(text)
    }
}
