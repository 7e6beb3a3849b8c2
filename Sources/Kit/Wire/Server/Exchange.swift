// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Who sent a request and waits for its answer: a session of either protocol.
protocol ExchangeOwner: AnyObject {
    /// The handler has answered.
    func finish(_ exchange: Exchange, with response: WireResponse)
    /// The exchange's own appointment has come.
    func timeIsUp(for exchange: Exchange)
}

/// One request and its answer, from the first header to the last byte.
final class Exchange: LoopTimer, @unchecked Sendable {
    // SAFETY: made, run and ended on one loop's thread: its handler's task prefers that loop and nothing else refers to it.
    private enum Phase { case arriving, waiting, running, settled, over }

    let server: LoopServer
    var request: WireRequest
    /// The session; let go of when all is over, which also breaks the circle of references.
    private(set) var owner: (any ExchangeOwner)?
    private var phase = Phase.arriving
    private var task: UnsafeCurrentTask?

    // What HTTP/2 keeps with its stream.
    let stream: Int32
    var isHeadWhole = false
    var isRequestWhole = false
    /// The call, where the handler takes its messages one by one.
    var grpc: GRPCStream?
    var answer: WireResponse?
    var payload: Payload?
    var sent = 0
    var hasAnswerLeft = false
    var headBytes = 0
    var headFields = 0
    /// Body bytes counted with the server.
    var held = 0
    /// Where the session keeps it.
    var place = 0

    init(_ request: WireRequest, of owner: any ExchangeOwner, on server: LoopServer, stream: Int32 = 0) {
        self.request = request
        self.owner = owner
        self.server = server
        self.stream = stream
    }

    var isOver: Bool { phase == .over }
    /// Whether an answer is still to come.
    var isOpen: Bool { phase != .over && phase != .settled }

    override func timeIsUp() { owner?.timeIsUp(for: self) }

    /// Has the handler called, in a task of its own.
    func dispatch() {
        phase = .waiting
        server.counters.requests.count()
        server.counters.requestsInFlight.count()
        server.dispatch(self)
    }

    /// The life of the task.
    func run(_ handler: any WireHandler) async {
        guard phase == .waiting else { return }
        phase = .running
        // The handle is used on this thread only, and only until the task's last line below; so the task outlives it.
        withUnsafeCurrentTask { task = $0 }
        let request = self.request
        self.request.body = []
        if let grpc {
            let status = await grpc.run()
            task = nil
            server.loop.assertCurrent()
            if phase == .running { grpc.finish(with: status) }
        } else {
            let response = await handler.respond(to: request)
            task = nil
            server.loop.assertCurrent()
            if phase == .running { owner?.finish(self, with: response) }
        }
    }

    /// Counts bytes that are kept (or, below zero, let go of); false when the server keeps too many.
    @discardableResult func hold(_ count: Int) -> Bool {
        held += count
        return server.hold(count)
    }

    /// The answer is decided. A handler that still runs is cancelled, and what it says falls on deaf ears.
    func settle() {
        guard isOpen else { return }
        if phase != .arriving { server.counters.requestsInFlight.count(-1) }
        phase = .settled
        task?.cancel()
        task = nil
    }

    /// Ends the exchange, however it went.
    func end() {
        settle()
        phase = .over
        _ = server.hold(-held)
        held = 0
        owner = nil
        answer = nil
        payload = nil
        grpc?.fail(.goneAway)
        server.loop.cancel(self)
    }
}
