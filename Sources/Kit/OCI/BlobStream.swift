// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Hashing
import Synchronization
import Transport

/// The bytes of a blob on their way, proven by size and digest at their end.
package struct BlobStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = any Error

    private let body: ResponseBody
    private let descriptor: Descriptor
    private let host: String

    init(_ body: ResponseBody, _ descriptor: Descriptor, host: String) {
        self.body = body
        self.descriptor = descriptor
        self.host = host
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(body: body.makeAsyncIterator(), descriptor: descriptor, host: host)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var body: ResponseBody.AsyncIterator
        fileprivate let descriptor: Descriptor
        fileprivate let host: String
        private var hash = SHA256()
        private var size: Int64 = 0

        fileprivate init(body: ResponseBody.AsyncIterator, descriptor: Descriptor, host: String) {
            self.body = body
            self.descriptor = descriptor
            self.host = host
        }

        package mutating func next() async throws -> [UInt8]? {
            let chunk: [UInt8]?
            do {
                chunk = try await body.next()
            } catch {
                throw RegistryError(error, at: host)
            }
            guard let chunk else {
                let found = Digest(sha256: hash.finish())
                guard found == descriptor.digest else {
                    throw RegistryError.digestMismatch(wanted: descriptor.digest, found: "\(found) of \(size) bytes")
                }
                return nil
            }
            hash.update(chunk)
            size += Int64(chunk.count)
            guard size <= descriptor.size else {
                throw RegistryError.digestMismatch(wanted: descriptor.digest, found: "more than its \(descriptor.size) bytes")
            }
            return chunk
        }
    }
}

/// A stream that is hashed and counted as it passes.
struct CountedStream: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    typealias Failure = any Error

    fileprivate final class Tally: Sendable {
        let state = Mutex((hash: SHA256(), size: Int64(0)))
    }

    private let content: any AsyncSequence<[UInt8], any Error> & Sendable
    private let passed = Tally()

    init(_ content: any AsyncSequence<[UInt8], any Error> & Sendable) {
        self.content = content
    }

    /// What has passed so far.
    func tally() -> (digest: Digest, size: Int64) {
        passed.state.withLock { (Digest(sha256: $0.hash.finish()), $0.size) }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: content.makeAsyncIterator(), passed: passed)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var source: any AsyncIteratorProtocol<[UInt8], any Error>
        private let passed: Tally

        fileprivate init(source: any AsyncIteratorProtocol<[UInt8], any Error>, passed: Tally) {
            self.source = source
            self.passed = passed
        }

        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await source.next(isolation: #isolation) else { return nil }
            passed.state.withLock { state in
                state.hash.update(chunk)
                state.size += Int64(chunk.count)
            }
            return chunk
        }
    }
}
