// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
package import KubeCore
import Logging
import Transport

/// The objects of a kind as they are, and then as they change.
///
/// *Guarantees*: begins with `replaced`; after it each change comes once and in order; after a gap that cannot be
/// bridged comes `replaced` again. Cuts, restarts and hours of absence of the server are its own business: it says so
/// with `trouble`, and goes on. Ends only when its task is cancelled. For one reader.
package struct Watcher<T: KubeResource>: AsyncSequence, Sendable {
    package typealias Element = WatcherEvent<T>
    package typealias Failure = Never

    let client: ClusterClient
    let kind: ResourceKind
    let namespace: String?
    let options: ListOptions

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(watcher: self) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private let watcher: Watcher
        private var state = WatcherState()
        private var ready: [WatcherEvent<T>] = []
        private var body: ResponseBody.AsyncIterator?
        private var framer = LineFramer()
        private var openedAt = ContinuousClock.now

        fileprivate init(watcher: Watcher) { self.watcher = watcher }

        package mutating func next() async -> WatcherEvent<T>? {
            while !Task.isCancelled {
                if !ready.isEmpty { return ready.removeFirst() }
                switch state.step {
                case .list: await list()
                case .watch(let version): await open(from: version)
                case .read: await read()
                case .pause(let span):
                    // Cancelled: the loop's condition sees it.
                    try? await watcher.client.clock.sleep(for: span)
                    state.paused()
                }
            }
            return nil
        }
    }
}

/// What a watcher has to say.
package enum WatcherEvent<T: KubeResource>: Sendable, Equatable {
    /// All objects as of now: after each full list.
    case replaced([T])
    case changed(T)
    case removed(T)
    /// For the log: what went wrong, and when it is tried again.
    case trouble(KubeError, retry: Duration)
}

extension ClusterClient {
    /// Watches the objects of a kind, in one namespace or in all.
    package func watch<T: KubeResource>(
        _ kind: ResourceKind = T.kind, as type: T.Type = T.self, namespace: String? = nil, _ options: ListOptions = ListOptions()
    ) -> Watcher<T> {
        Watcher(client: self, kind: kind, namespace: namespace, options: options)
    }
}

extension Watcher.AsyncIterator {
    private var name: String { "watch \(watcher.kind)" + (watcher.namespace.map { " in \($0)" } ?? "") }

    private mutating func list() async {
        do throws(KubeError) {
            let all = try await watcher.client.list(T.self, namespace: watcher.namespace, watcher.options, kind: watcher.kind)
            state.listed(at: all.metadata.resourceVersion)
            ready.append(.replaced(all.items))
        } catch {
            fail(error)
        }
    }

    private mutating func open(from version: String) async {
        // Five to ten minutes, so that the watches of many clients do not end together.
        let seconds = 300 + Int(300 * watcher.client.draw())
        let request = KubeRequest.watch(watcher.kind, namespace: watcher.namespace, watcher.options, from: version, seconds: seconds)
        do throws(KubeError) {
            // The server ends it; where it does not, we do.
            body = try await watcher.client.open(request, named: name, within: .seconds(seconds + 30)).makeAsyncIterator()
            framer = LineFramer()
            openedAt = .now
            state.opened()
        } catch {
            fail(error)
        }
    }

    private mutating func read() async {
        do {
            guard let chunk = try await body?.next() else {
                // A half line is the server's death in the middle of an event, which comes again on resuming.
                body = nil
                return state.ended(after: .now - openedAt, draw: watcher.client.draw())
            }
            var lines: [[UInt8]] = []
            try framer.append(chunk) { lines.append(Array($0)) }
            for line in lines {
                try take(line[...])
                guard case .read = state.step else { break }
            }
        } catch let error as KubeError {
            fail(error)
        } catch let error as TransportError {
            fail(error == .cancelled ? .cancelled : .transport(request: name, error))
        } catch {
            fail(.badAnswer(request: name, reason: "\(error)"))
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) throws {
        let event: WatchEvent<T>
        do {
            event = try WatchDecoder<T>.decode(line)
        } catch {
            // One object that we cannot read must not hide all others; a line that is none at all ends the watch.
            state.saw(try Envelope.decode(json: line).object.metadata.resourceVersion)
            ready.append(.trouble(.badAnswer(request: name, reason: "\(error)"), retry: .zero))
            return
        }
        switch event {
        case .added(let object), .modified(let object):
            state.saw(object.metadata.resourceVersion)
            ready.append(.changed(object))
        case .deleted(let object):
            state.saw(object.metadata.resourceVersion)
            ready.append(.removed(object))
        case .bookmark(let version): state.saw(version)
        case .failed(let status):
            let pause = status.details.retryAfterSeconds.map { Duration.seconds($0) }
            throw KubeError(KubeError.Refusal(request: name, status: status, retryAfter: pause))
        }
    }

    private mutating func fail(_ error: KubeError) {
        let life = body == nil ? .zero : ContinuousClock.now - openedAt
        body = nil
        if case .cancelled = error, Task.isCancelled { return }
        let trouble: WatcherState.Trouble =
            switch error {
            case .expired: .expired
            case .transport, .noCredentials, .tooManyRequests, .cancelled: .unreachable
            default: .refused
            }
        state.failed(trouble, after: life, asked: error.refusal?.retryAfter, draw: watcher.client.draw())
        guard case .pause(let retry) = state.step else { return }
        watcher.client.logger.debug("watch interrupted", metadata: ["watch": "\(name)", "reason": "\(error)"])
        ready.append(.trouble(error, retry: retry))
    }
}

/// As much of an event as tells where to resume.
private struct Envelope: JSONRecord {
    var object = Object()
    static let fields: JSONFields<Envelope> = [.required("object", \.object)]

    struct Object: JSONRecord {
        var metadata = ObjectMeta()
        static let fields: JSONFields<Object> = [.required("metadata", \.metadata)]
    }
}
