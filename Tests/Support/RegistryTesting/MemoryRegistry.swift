// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Hashing
package import LoopbackTesting
import Synchronization

/// A registry in memory, behind a server on loopback: the distribution API as far as images need it.
///
/// It checks what a real one checks: digests of blobs and manifests, blobs that a manifest names, scopes of tokens.
package final class MemoryRegistry: Sendable {
    /// Who is let in.
    package enum Entry: Sendable, Equatable {
        case anyone
        case basic(user: String, password: String)
        /// A token server at `/token`; with a user it wants basic authorization, and gives tokens that last for `lifetime` seconds.
        case bearer(user: String?, password: String, lifetime: Int)
    }

    /// How this registry differs from the next one.
    package struct Habits: Sendable {
        package var entry = Entry.anyone
        package var hasRelativeLocations = false
        package var mounts = true
        package var deletes = true
        package var answersHead = true
        /// Tags on one page of a list.
        package var pageSize = 1000

        package init() {}
    }

    /// An answer of the test's own instead of the registry's.
    package struct Fault: Sendable {
        var method: String
        var path: String
        var times: Int
        var answer: LoopbackAnswer
        var isAfterwards: Bool
    }

    struct Store {
        var habits = Habits()
        var blobs: [String: [String: [UInt8]]] = [:]
        var manifests: [String: [String: (type: String, bytes: [UInt8])]] = [:]
        var tags: [String: [String: String]] = [:]
        var uploads: [String: (repository: String, bytes: [UInt8])] = [:]
        var tokens: [String: [String]] = [:]
        var faults: [Fault] = []
        var counter = 0
    }

    let store = Mutex(Store())
    private let boxed = Mutex<LoopbackServer?>(nil)

    /// Starts a registry on a free port.
    package init(_ habits: Habits = Habits()) throws {
        store.withLock { $0.habits = habits }
        let server = try LoopbackServer { [weak self] request in
            self?.answer(request) ?? LoopbackAnswer(503)
        }
        boxed.withLock { $0 = server }
    }

    deinit { stop() }

    package func stop() { boxed.withLock { $0?.stop() } }

    /// The port it listens on.
    package var port: Int { boxed.withLock { $0?.port ?? 0 } }

    /// Its name in references: `127.0.0.1:port`.
    package var host: String { "127.0.0.1:\(port)" }

    /// The requests so far, as `METHOD /path`.
    package var requests: [String] {
        boxed.withLock { $0?.seen ?? [] }.map { "\($0.method) \($0.path)" }
    }

    /// Answers the next `times` requests of this method, with `path` in their target, as told; afterwards as always.
    /// - Parameter doing: whether the registry does what was asked all the same, and only its answer is lost.
    package func fail(_ method: String, _ path: String, times: Int = 1, doing: Bool = false, with answer: LoopbackAnswer) {
        store.withLock {
            $0.faults.append(Fault(method: method, path: path, times: times, answer: answer, isAfterwards: doing))
        }
    }

    /// Changes habits while it runs.
    package func change(_ edit: (inout Habits) -> Void) {
        store.withLock { edit(&$0.habits) }
    }

    /// Makes every token that was given worthless.
    package func revokeTokens() {
        store.withLock { $0.tokens = [:] }
    }

    /// Puts a blob in place and gives its digest.
    @discardableResult
    package func addBlob(_ bytes: [UInt8], to repository: String) -> String {
        let digest = "sha256:" + SHA256.hex(of: bytes)
        store.withLock { $0.blobs[repository, default: [:]][digest] = bytes }
        return digest
    }

    /// Puts a manifest in place, whatever it names, and gives its digest.
    @discardableResult
    package func addManifest(_ bytes: [UInt8], type: String, to repository: String, tag: String? = nil) -> String {
        let digest = "sha256:" + SHA256.hex(of: bytes)
        store.withLock { store in
            store.manifests[repository, default: [:]][digest] = (type, bytes)
            if let tag { store.tags[repository, default: [:]][tag] = digest }
        }
        return digest
    }

    /// A blob's bytes, if a repository has it.
    package func blob(_ digest: String, in repository: String) -> [UInt8]? {
        store.withLock { $0.blobs[repository]?[digest] }
    }

    /// A manifest's bytes by tag or digest.
    package func manifest(_ reference: String, in repository: String) -> [UInt8]? {
        store.withLock { store in
            let digest = store.tags[repository]?[reference] ?? reference
            return store.manifests[repository]?[digest]?.bytes
        }
    }

    package func tags(of repository: String) -> [String] {
        store.withLock { ($0.tags[repository] ?? [:]).keys.sorted() }
    }

    /// How many uploads were opened and neither closed nor cancelled.
    package var openUploads: Int { store.withLock { $0.uploads.count } }

    private func answer(_ request: LoopbackRequest) -> LoopbackAnswer {
        let fault = takeFault(request)
        if let fault, !fault.isAfterwards { return fault.answer }
        let answer = store.withLock { store in
            store.refusal(of: request, at: host) ?? store.respond(to: request, at: host)
        }
        return fault?.answer ?? answer
    }

    private func takeFault(_ request: LoopbackRequest) -> Fault? {
        store.withLock { store in
            let fits = { (fault: Fault) in fault.method == request.method && request.target.contains(fault.path) }
            guard let index = store.faults.firstIndex(where: fits) else { return nil }
            let fault = store.faults[index]
            store.faults[index].times -= 1
            if fault.times <= 1 { store.faults.remove(at: index) }
            return fault
        }
    }
}
