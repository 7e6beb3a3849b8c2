// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// A program run for its output, with a deadline.
struct ChildProgram: Sendable {
    let command: String
    let arguments: [String]
    /// Added to our own environment.
    let environment: [String: String]
    let deadline: Duration

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let limit = 1 << 20

    /// What it wrote to its standard output, when it ended well. Runs on a thread of its own.
    func output() async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { caller in
            final class Work: Sendable {
                let program: ChildProgram
                let caller: CheckedContinuation<[UInt8], any Error>
                init(_ program: ChildProgram, _ caller: CheckedContinuation<[UInt8], any Error>) {
                    self.program = program
                    self.caller = caller
                }
            }
            var thread = pthread_t()
            let work = Unmanaged.passRetained(Work(self, caller))
            let failure = pthread_create(
                &thread, nil,
                { pointer in
                    guard let pointer else { return nil }
                    let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
                    work.caller.resume(with: Result { try work.program.run() })
                    return nil
                }, work.toOpaque())
            if failure == 0 {
                pthread_detach(thread)
            } else {
                work.release()
                caller.resume(throwing: Failure(description: "wanted a thread for \(command), found error \(failure)"))
            }
        }
    }

    private func run() throws -> [UInt8] {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(description: "wanted a pipe, found error \(errno)") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child: pid_t
        do {
            defer { close(ends[1]) }
            child = try spawn(writingTo: ends[1])
        }
        let last = ContinuousClock.now + deadline
        do {
            let output = try read(from: ends[0], until: last)
            try wait(for: child, until: last)
            return output
        } catch {
            // Its whole group: a shell's children would otherwise live on.
            kill(-child, SIGKILL)
            waitpid(child, nil, 0)
            throw error
        }
    }

    private func spawn(writingTo output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([command] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = inherited.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var child = pid_t()
        let failure = posix_spawnp(&child, command, &actions, &attributes, &words, &variables)
        guard failure == 0 else {
            throw Failure(description: "wanted to run \(command), found: \(String(cString: strerror(failure)))")
        }
        return child
    }

    /// Our own environment with the additions in place of what they replace.
    private var inherited: [String] {
        var lines: [String] = []
        var next = environ
        while let line = next.pointee {
            let text = String(cString: line)
            if environment[String(text.prefix { $0 != "=" })] == nil { lines.append(text) }
            next += 1
        }
        return lines + environment.map { "\($0)=\($1)" }
    }

    private func read(from pipe: Int32, until last: ContinuousClock.Instant) throws -> [UInt8] {
        var output: [UInt8] = []
        while true {
            let left = (last - .now).components
            guard left.seconds >= 0, left.attoseconds >= 0 else { throw late }
            var look = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            guard poll(&look, 1, Int32(left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000) + 1) > 0 else { continue }
            var count = 0
            output += [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, filled in
                count = Glibc.read(pipe, buffer.baseAddress, buffer.count)
                filled = max(0, count)
            }
            guard count >= 0 || errno == EINTR else { throw Failure(description: "wanted output of \(command), found error \(errno)") }
            if count == 0 { return output }
            guard output.count <= Self.limit else {
                throw Failure(description: "wanted at most \(Self.limit) bytes of \(command), found more")
            }
        }
    }

    private func wait(for child: pid_t, until last: ContinuousClock.Instant) throws {
        var status: Int32 = 0
        while true {
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child { break }
            guard ended == 0 || errno == EINTR else { throw Failure(description: "wanted the end of \(command), found error \(errno)") }
            guard ContinuousClock.now < last else { throw late }
            // It closed its output and so is about to end.
            usleep(2_000)
        }
        guard status == 0 else {
            let code = (status >> 8) & 0xFF
            throw Failure(
                description: "wanted \(command) to end with 0, found \(status & 0x7F == 0 ? "\(code)" : "signal \(status & 0x7F)")")
        }
    }

    private var late: Failure { Failure(description: "wanted an answer of \(command) within \(deadline), found none") }
}
