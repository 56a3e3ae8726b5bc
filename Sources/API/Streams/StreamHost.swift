import Domain
import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// What one client is shown.
protocol StreamSession: Sendable {
    /// Does what there is to do now, and not more than a batch of it: what comes meanwhile is a reason of its own.
    ///
    /// - Returns: Whether the stream goes on.
    /// - Throws: When the connection broke.
    mutating func serve(_ reasons: StreamHost.Reasons, _ host: StreamHost) async throws -> Bool
}

/// Carries one client's stream: calls its session whenever there is a reason to, each time in a task of its own. A
/// client costs little while nothing happens, and that is nearly always.
final class StreamHost: Sendable {
    struct Reasons: OptionSet, Sendable {
        let rawValue: UInt8

        /// The first call.
        static let start = Reasons(rawValue: 1)
        /// There is, or may be, more to show.
        static let news = Reasons(rawValue: 2)
        static let idle = Reasons(rawValue: 4)
        static let settled = Reasons(rawValue: 8)
        static let timeout = Reasons(rawValue: 16)
        /// The client went away, or the server stops.
        static let stop = Reasons(rawValue: 32)
    }

    fileprivate struct State {
        /// As it was before the present service began; `nil` after the stream.
        var session: (any StreamSession)?
        /// Also before the stream has begun.
        var isServing = true
        var reasons: Reasons = []
        /// Resumed at the end.
        var end: CheckedContinuation<Void, Never>?
    }

    private let ticker: Ticker
    private let channel: any Channel
    private let watch: StreamWatch
    private let state: Mutex<State>

    private init(_ session: any StreamSession, ticker: Ticker, channel: any Channel, limits: StreamWatch.Limits) {
        self.ticker = ticker
        self.channel = channel
        watch = StreamWatch(limits: limits, now: .now)
        state = Mutex(State(session: session))
    }

    /// The answer that `session` writes.
    static func response(
        _ session: any StreamSession, ticker: Ticker, channel: any Channel, limits: StreamWatch.Limits
    ) -> Response {
        let host = StreamHost(session, ticker: ticker, channel: channel, limits: limits)
        return Response(
            status: .ok, headers: EventStreams.headers,
            body: ResponseBody { writer in
                EventStreams.open.increment()
                defer { EventStreams.open.decrement() }
                await host.run()
                try await writer.finish(nil)
            })
    }

    /// Returns when the stream is over.
    private func run() async {
        let id = ticker.add { now in self.tick(now) }
        ConnectionEnd.observe(channel) { self.wake(.stop) }
        await withCheckedContinuation { end in
            state.withLock { state in
                state.end = end
                state.isServing = false
            }
            wake(.start)
        }
        ConnectionEnd.observe(channel, nil)
        ticker.remove(id)
    }

    /// Something happened. May be called from anywhere; does not block.
    func wake(_ reasons: Reasons) {
        let begins = state.withLock { state in
            state.reasons.formUnion(reasons)
            guard !state.isServing, state.session != nil else { return false }
            state.isServing = true
            return true
        }
        guard begins else { return }
        // Begun there, it is over at once as a rule; thousands that begin everywhere would have to be kept meanwhile.
        channel.eventLoop.execute { [self] in
            Task.immediate(executorPreference: EventLoopExecutor(channel.eventLoop)) { await self.serve() }
        }
    }

    /// Until there is no reason left.
    private func serve() async {
        guard var session = state.withLock(\.session) else { return }
        while let reasons = state.withLock({ $0.nextReasons(session) }) {
            if reasons.contains(.idle) { watch.sawIdle() }
            let goesOn = try? await session.serve(reasons, self)
            if goesOn != true { return end() }  // it is over, or broke off
        }
    }

    private func end() {
        let end = state.withLock { state in
            state.session = nil
            defer { state.end = nil }
            return state.end
        }
        end?.resume()
    }

    private func tick(_ now: ContinuousClock.Instant) {
        switch watch.tick(now) {
        case .stuck: channel.close(promise: nil)
        case .idle: wake(.idle)
        case .settled: wake(.settled)
        case .timeout: wake(.timeout)
        case .none: break
        }
    }

    /// Asks for `.settled` soon.
    func settle() { watch.beginSettling(.now) }

    /// Returns when the client's system has the frames, or nearly: at most one write is under way.
    func write(_ frames: ByteBuffer) async throws {
        guard frames.readableBytes > 0 else { return }
        watch.beginWrite(.now)
        defer { watch.endWrite(.now) }
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(HTTPResponsePart.body(frames), promise: promise)
        let written = promise.futureResult
        // Nearly always it is done already; waiting for it would have all clients half served at once.
        let outcome = Outcome()
        written.whenComplete { result in outcome.result.withLock { $0 = result } }
        if let result = outcome.result.withLock({ $0 }) { return try result.get() }
        try await written.get()
    }

    private final class Outcome: Sendable {
        let result = Mutex<Result<Void, any Error>?>(nil)
    }
}

extension StreamHost.State {
    /// - Parameter session: As it is now; kept when there is no reason left.
    fileprivate mutating func nextReasons(_ session: any StreamSession) -> StreamHost.Reasons? {
        guard reasons.isEmpty else {
            defer { reasons = [] }
            return reasons
        }
        self.session = session
        isServing = false
        return nil
    }
}
