// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import LoopbackTesting
import Testing
import Transport

struct EndingTests {
    enum Cut: String, CaseIterable, Sendable { case length, lengthReset, chunked, chunkedReset }

    @Test(arguments: Cut.allCases)
    func `a body cut in the middle is an error and not an end`(cut: Cut) async throws {
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { _ in
            switch cut {
            case .length: LoopbackAnswer(framing: .length(100), pieces: [.text("half"), .end])
            case .lengthReset: LoopbackAnswer(framing: .length(100), pieces: [.text("half"), .cut])
            case .chunked: .chunked([.text("half"), .end])
            case .chunkedReset: .chunked([.text("half"), .cut])
            }
        }
        try await withServer(answer) { server, transport in
            let error = await #expect(throws: TransportError.self) {
                try await transport.send(request(server.url())).collect(upTo: 100)
            }
            guard case .cut = error else { throw error ?? .cancelled }
        }
    }

    @Test func `a connection that ends before the answer is cut`() async throws {
        try await withServer({ _ in .hangUp }) { server, transport in
            let error = await #expect(throws: TransportError.self) { try await transport.send(request("POST", server.url())) }
            guard case .cut = error else { throw error ?? .cancelled }
        }
    }

    @Test func `an answer that ends with its connection is whole`() async throws {
        let answer = LoopbackAnswer(framing: .close, pieces: [.text("all of it")])
        try await withServer({ _ in answer }) { server, transport in
            let body = try await transport.send(request(server.url())).collect(upTo: 100)
            #expect(body == Array("all of it".utf8))
        }
    }

    @Test func `a task cancelled before the answer ends its transfer`() async throws {
        try await withServer({ _ in .silence }) { server, transport in
            let order = request(server.url())
            let error = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await transport.send(order) }
                try await server.requests.reaches(1)
                group.cancelAll()
                return await group.nextResult()
            }
            #expect(throws: TransportError.cancelled) { try error?.get() }
            try await server.departures.reaches(1)
        }
    }

    @Test func `a task cancelled within the body gets an error and not an end`() async throws {
        try await withServer({ _ in .chunked([.text("first"), .hang]) }) { server, transport in
            let order = request(server.url())
            let begun = Tally()
            let error = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await _ in try await transport.send(order).body { begun.add() }
                }
                try await begun.reaches(1)
                group.cancelAll()
                return await group.nextResult()
            }
            #expect(throws: TransportError.cancelled) { try error?.get() }
            try await server.departures.reaches(1)
        }
    }

    @Test func `an upload whose task is cancelled ends`() async throws {
        let gate = Gate()
        try await withServer(readsBodies: gate, { _ in LoopbackAnswer(200) }) { server, transport in
            let source = Source(chunks: .max)
            let order = request("PUT", server.url(), body: .stream(length: nil, source))
            let error = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await transport.send(order) }
                try await source.taken.reaches(8)
                group.cancelAll()
                return await group.nextResult()
            }
            #expect(throws: TransportError.cancelled) { try error?.get() }
        }
    }

    @Test func `a body that nobody keeps ends its transfer`() async throws {
        try await withServer({ _ in .chunked([.text("first"), .hang]) }) { server, transport in
            #expect(try await transport.send(request(server.url())).status == 200)
            try await server.departures.reaches(1)
        }
    }

    @Test(arguments: [false, true])
    func `a peer that says nothing is idle`(afterHalf: Bool) async throws {
        let answer: @Sendable (LoopbackRequest) -> LoopbackAnswer = { _ in afterHalf ? .chunked([.text("half"), .hang]) : .silence }
        try await withServer(answer) { server, transport in
            let patience = Duration.milliseconds(100)
            await #expect(throws: TransportError.timedOut(.idle, host: "127.0.0.1:\(server.port)", after: patience)) {
                try await transport.send(request(server.url(), idle: patience)).collect(upTo: 100)
            }
            try await server.departures.reaches(1)
        }
    }

    @Test func `a peer that is not idle may still take too long`() async throws {
        let endless = LoopbackAnswer.chunked([.produced { [1] }])
        try await withServer({ _ in endless }) { server, transport in
            let order = TransportRequest(
                url: server.url(), timeouts: Timeouts(idle: .seconds(30), whole: .milliseconds(300)), bypassProxy: true)
            await #expect(throws: TransportError.timedOut(.whole, host: "127.0.0.1:\(server.port)", after: .milliseconds(300))) {
                for try await _ in try await transport.send(order).body {}
            }
        }
    }

    @Test func `a request that waits for a connection runs out of patience too`() async throws {
        try await withServer(connections: 1, { _ in .silence }) { server, transport in
            let first = request(server.url("/first"))
            let second = request(server.url("/second"), idle: .milliseconds(100))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await transport.send(first) }
                try await server.requests.reaches(1)
                let error = await #expect(throws: TransportError.self) { try await transport.send(second) }
                guard case .timedOut(.idle, _, _) = error else { throw error ?? .cancelled }
                group.cancelAll()
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a shutdown ends those under way and refuses those to come`() async throws {
        try await withServer({ _ in .silence }) { server, transport in
            let order = request(server.url())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { _ = try await transport.send(order) } }
                try await server.requests.reaches(5)
                transport.shutdown()
                while let ended = await group.nextResult() {
                    #expect(throws: TransportError.shutDown) { try ended.get() }
                }
            }
            await #expect(throws: TransportError.shutDown) { try await transport.send(order) }
        }
    }

    @Test func `the loop sleeps while nothing happens`() async throws {
        try await withServer({ _ in .silence }) { server, transport in
            let order = TransportRequest(url: server.url(), timeouts: Timeouts(idle: .seconds(30), whole: .seconds(1)), bypassProxy: true)
            await #expect(throws: TransportError.self) { try await transport.send(order) }
            #expect(transport.activity.wakeUps < 30)
        }
    }
}
