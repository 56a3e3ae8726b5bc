import Domain
import Hummingbird
import NIOCore
import ServiceLifecycle

/// Runs one client's stream beside what else may wake or end it: the clocks, the client's going away and the server's
/// stop.
struct StreamHost: Sendable {
    enum Event: Sendable {
        case signal(StreamWatch.Signal)
        /// The client went away, or the server stops.
        case stop
    }

    private let ticker: Ticker
    private let channel: any Channel
    let watch: StreamWatch

    init(ticker: Ticker, channel: any Channel, limits: StreamWatch.Limits) {
        self.ticker = ticker
        self.channel = channel
        watch = StreamWatch(limits: limits, now: .now)
    }

    /// Returns when `serve` does; throws when the connection broke.
    ///
    /// - Parameters:
    ///   - pump: Runs beside `serve`, and is cancelled when that returns.
    ///   - notify: Called from anywhere; must not block.
    func run(
        _ body: RequestBody,
        pump: @escaping @Sendable () async -> Void,
        notify: @escaping @Sendable (Event) -> Void,
        serve: () async throws -> Void
    ) async throws {
        let id = ticker.add { [watch, channel] now in
            switch watch.tick(now) {
            case .stuck: channel.close(promise: nil)
            case .some(let signal): notify(.signal(signal))
            case .none: break
            }
        }
        defer { ticker.remove(id) }
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pump() }
                group.addTask { await StreamHost.watchInbound(body, notify) }
                defer { group.cancelAll() }
                try await serve()
            }
        } onGracefulShutdown: {
            notify(.stop)
        }
    }

    /// Lets the frames go to the client.
    func write(_ frames: inout StreamFrames, _ writer: inout any ResponseBodyWriter) async throws {
        watch.beginWrite(.now)
        defer { watch.endWrite(.now) }
        try await writer.write(frames.buffer)
        frames.clear()
    }

    /// A client that closes its side is gone; there is nothing more for it to say.
    private static func watchInbound(_ body: RequestBody, _ notify: @escaping @Sendable (Event) -> Void) async {
        do {
            try await body.consumeWithInboundCloseHandler { rest in
                for try await _ in rest {}
                // Stay until the stream is over: leaving would end the watch.
                try? await Task.sleep(for: .seconds(86_400))
            } onInboundClosed: {
                notify(.stop)
            }
        } catch {
            notify(.stop)
        }
    }
}

/// Streams of an event log.
extension StreamHost {
    /// What a client's stream reacts to.
    enum Feed: Sendable {
        case batch(EventBatch)
        case signal(StreamWatch.Signal)
        /// The log ended or broke, the client went away, or the server stops.
        case stop
    }

    /// Runs `serve` with what `log` holds, one batch at a time.
    ///
    /// - Parameter serve: Gets the feed, and what it asks for the next batch by: when the one before was written.
    func run(
        _ body: RequestBody, log: @escaping @Sendable () -> AsyncThrowingStream<EventBatch, any Error>,
        serve: (_ feed: AsyncStream<Feed>, _ ask: AsyncStream<Void>.Continuation) async throws -> Void
    ) async throws {
        let (feed, source) = AsyncStream<Feed>.makeStream()
        let (demand, ask) = AsyncStream<Void>.makeStream()
        try await run(body) {
            var batches = log().makeAsyncIterator()
            do {
                for await _ in demand {
                    guard let batch = try await batches.next() else { break }
                    source.yield(.batch(batch))
                }
            } catch {
                // The log is away: the client comes back with the id of the last event it got.
            }
            source.yield(.stop)
        } notify: { event in
            switch event {
            case .signal(let signal): source.yield(.signal(signal))
            case .stop: source.yield(.stop)
            }
        } serve: {
            try await serve(feed, ask)
        }
    }

    /// The answer whose body `serve` writes.
    static func response(
        _ serve: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok, headers: EventStreams.headers,
            body: ResponseBody { writer in
                EventStreams.open.increment()
                defer { EventStreams.open.decrement() }
                try await serve(&writer)
                try await writer.finish(nil)
            })
    }
}
