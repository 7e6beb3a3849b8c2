// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CCurl
import Glibc
import Synchronization

/// A curl multi handle and the one thread that drives it.
///
/// The thread sleeps in `curl_multi_poll` until a socket is ready, a timer of curl's or of ours fires, or `submit`
/// wakes it. Nothing here blocks: names are resolved on curl's own threads.
final class CurlLoop: @unchecked Sendable {
    // SAFETY: `multi`, `live`, `spare` and `nextLook` belong to the loop's thread from the moment it starts. The one
    // call made from other threads, `curl_multi_wakeup`, is allowed by curl and made under the lock that says
    // whether `multi` is still there.

    enum Command: Sendable {
        case start(Transfer)
        case finish(Transfer, any Error)
        case resumeReceiving(Transfer)
        case resumeSending(Transfer)
        case stop
    }

    private struct Inbox {
        var commands: [Command] = []
        var isStopped = false
    }

    private let multi: UnsafeMutableRawPointer
    private let inbox = Mutex(Inbox())
    private var live: [UnsafeMutableRawPointer: Transfer] = [:]
    private var spare: [UnsafeMutableRawPointer] = []
    private var nextLook: ContinuousClock.Instant?
    private var isStopping = false

    /// How often the thread woke: the proof that it does not when nothing happens.
    let wakeUps = Atomic<Int>(0)
    let liveCount = Atomic<Int>(0)

    init(maxConnectionsPerHost: Int, maxStreamsPerConnection: Int) {
        _ = Self.library
        guard let multi = curl_multi_init() else { preconditionFailure("wanted a curl multi handle, found no memory") }
        self.multi = multi
        ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, maxConnectionsPerHost)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, maxStreamsPerConnection)
    }

    private static let library: Void = {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    }()

    /// Starts the thread, which lives until `.stop`.
    func start(named name: String) {
        final class Start: Sendable {
            let loop: CurlLoop, name: String
            init(_ loop: CurlLoop, _ name: String) { (self.loop, self.name) = (loop, name) }
        }
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(self, name))
        let failure = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
                // The kernel keeps 15 bytes of a name and refuses more.
                ccurl_name_thread(String(start.name.prefix(15)))
                start.loop.run()
                return nil
            }, start.toOpaque())
        precondition(failure == 0, "wanted a thread, found error \(failure)")
        pthread_detach(thread)
    }

    /// Hands a command to the thread. After the stop, a transfer to start fails at once.
    func submit(_ command: Command) {
        let isTaken = inbox.withLock { inbox in
            guard !inbox.isStopped else { return false }
            inbox.commands.append(command)
            if inbox.commands.count == 1 { curl_multi_wakeup(multi) }
            return true
        }
        if !isTaken, case .start(let transfer) = command { settle(transfer, TransportError.shutDown) }
    }

    // MARK: loop's thread

    private func run() {
        var running: Int32 = 0
        while true {
            for command in takeCommands() { obey(command) }
            if isStopping { break }
            curl_multi_perform(multi, &running)
            reap()
            look()
            liveCount.store(live.count, ordering: .relaxed)
            curl_multi_poll(multi, nil, 0, Int32(clamping: pause), nil)
            wakeUps.add(1, ordering: .relaxed)
        }
        close()
    }

    private func takeCommands() -> [Command] {
        inbox.withLock { inbox in
            defer { inbox.commands.removeAll(keepingCapacity: true) }
            return inbox.commands
        }
    }

    private func obey(_ command: Command) {
        switch command {
        case .start(let transfer): start(transfer)
        case .finish(let transfer, let error): finish(transfer, error)
        case .resumeReceiving(let transfer):
            transfer.isReceivePaused = false
            resume(transfer)
        case .resumeSending(let transfer):
            transfer.isSendPaused = false
            resume(transfer)
        case .stop: isStopping = true
        }
    }

    private func start(_ transfer: Transfer) {
        guard let handle = spare.popLast() ?? curl_easy_init() else {
            return settle(transfer, TransportError.failed(host: transfer.address.host, reason: "no memory for a transfer"))
        }
        do throws(TransportError) {
            try transfer.prepare(handle)
        } catch {
            transfer.release()
            curl_easy_cleanup(handle)
            return settle(transfer, error)
        }
        transfer.lastByte = .now
        live[handle] = transfer
        curl_multi_add_handle(multi, handle)
        if let expiry = transfer.expiry(at: transfer.lastByte) { nextLook = min(nextLook ?? expiry.at, expiry.at) }
    }

    private func resume(_ transfer: Transfer) {
        guard let handle = transfer.handle else { return }
        transfer.lastByte = .now
        let paused = (transfer.isReceivePaused ? CURLPAUSE_RECV : 0) | (transfer.isSendPaused ? CURLPAUSE_SEND : 0)
        // May call back at once with bytes that curl kept, and so pause again.
        curl_easy_pause(handle, paused)
    }

    /// Takes the finished transfers off curl's hands.
    private func reap() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let transfer = live[message.pointee.easy_handle] else { continue }
            let code = ccurl_result(message)
            finish(transfer, code == CURLE_OK ? nil : transfer.error(for: code))
        }
    }

    /// Ends whoever is out of patience. Deadlines only ever move away between looks, so the next look is never late.
    private func look() {
        let now = ContinuousClock.now
        guard let due = nextLook, due <= now else { return }
        nextLook = nil
        for transfer in Array(live.values) {
            guard let expiry = transfer.expiry(at: now) else { continue }
            if expiry.at <= now {
                finish(transfer, expiry.error)
            } else {
                nextLook = min(nextLook ?? expiry.at, expiry.at)
            }
        }
    }

    /// Milliseconds until there is something to look at, if nothing happens before.
    private var pause: Int {
        guard let nextLook else { return 60_000 }
        return min(60_000, max(0, (nextLook - .now).milliseconds))
    }

    /// Takes the handle from curl, which resets the stream or closes the connection if it was still busy.
    private func finish(_ transfer: Transfer, _ error: (any Error)?) {
        guard let handle = transfer.handle else { return }
        curl_multi_remove_handle(multi, handle)
        live[handle] = nil
        transfer.release()
        curl_easy_reset(handle)
        if spare.count < 16 { spare.append(handle) } else { curl_easy_cleanup(handle) }
        settle(transfer, error)
    }

    /// Tells everyone who waits; any thread.
    private func settle(_ transfer: Transfer, _ error: (any Error)?) {
        transfer.head.settle(.failure(error ?? TransportError.cut(host: transfer.address.host, reason: "no answer")))
        transfer.inflow.finish(error.map { .failure($0) } ?? .success(()))
        transfer.outflow?.close()
    }

    private func close() {
        let late = inbox.withLock { inbox in
            inbox.isStopped = true
            defer { inbox.commands = [] }
            return inbox.commands
        }
        for case .start(let transfer) in late { settle(transfer, TransportError.shutDown) }
        for transfer in Array(live.values) { finish(transfer, TransportError.shutDown) }
        for handle in spare { curl_easy_cleanup(handle) }
        spare = []
        curl_multi_cleanup(multi)
    }
}
