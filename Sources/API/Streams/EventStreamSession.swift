import Domain
import Engine
import Hummingbird
import NIOCore

/// One client's stream: carries out what `StreamLogic` decides.
///
/// What one client can hold: one batch of the log, and one buffer of about `chunkBytes` that is being written.
struct EventStreamSession: Sendable {
    private let tasks: TaskService
    private let task: CodeTask
    private let after: String?
    private let host: StreamHost

    /// Bytes that are gathered before they are written.
    private static let chunkBytes = 65_536

    init(_ streams: EventStreams, task: CodeTask, after: String?, channel: any Channel) {
        tasks = streams.tasks
        self.task = task
        self.after = after
        host = StreamHost(ticker: streams.ticker, channel: channel, limits: streams.limits)
    }

    /// Returns when the stream is over; throws when the connection broke.
    func run(_ logic: StreamLogic, _ body: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        try await host.run(body) { [tasks, task, after] in
            tasks.follow(task.id, after: after)
        } serve: { feed, ask in
            try await serve(logic, feed, ask, &writer)
        }
    }

    private func serve(
        _ logic: StreamLogic,
        _ feed: AsyncStream<StreamHost.Feed>,
        _ ask: AsyncStream<Void>.Continuation,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        var logic = logic
        var frames = StreamFrames()
        frames.connected(task)
        try await host.write(&frames, &writer)
        ask.yield()
        for await input in feed {
            var actions: [StreamLogic.Action]
            switch input {
            case .batch(let batch): actions = logic.handle(.batch(batch))
            case .signal(.idle):
                host.watch.sawIdle()
                actions = logic.handle(.idle)
            case .signal(.settled): actions = logic.handle(.settled)
            case .signal(.timeout): actions = logic.handle(.timeout)
            case .signal(.stuck), .stop: actions = logic.handle(.stop)
            }
            while !actions.isEmpty {
                var next: [StreamLogic.Action] = []
                for action in actions { next += try await perform(action, &logic, &frames, &writer) }
                actions = next
            }
            if frames.buffer.readableBytes > 0 { try await host.write(&frames, &writer) }
            if logic.isClosed { return }
            if case .batch = input { ask.yield() }
        }
    }

    private func perform(
        _ action: StreamLogic.Action,
        _ logic: inout StreamLogic,
        _ frames: inout StreamFrames,
        _ writer: inout any ResponseBodyWriter
    ) async throws -> [StreamLogic.Action] {
        switch action {
        case .send(let events):
            for event in events {
                frames.event(event)
                if frames.buffer.readableBytes >= EventStreamSession.chunkBytes {
                    try await host.write(&frames, &writer)
                }
            }
        case .check:
            do throws(CodeForgeError) {
                return logic.handle(.record(try await tasks.task(task.id)))
            } catch {
                return logic.handle(error.code == .notFound ? .record(nil) : .recordUnavailable)
            }
        case .settle: host.watch.beginSettling(.now)
        case .keepalive: frames.keepalive()
        case .done(let done): frames.done(done)
        case .timeout: frames.timeout()
        case .close: break
        }
        return []
    }
}
