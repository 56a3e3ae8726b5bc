import Domain
import Hummingbird
import NIOCore
import Workflows

/// Serves the events of workflow runs as server-sent events.
struct RunStreams: Sendable {
    let workflows: WorkflowService
    let ticker: Ticker
    let clock: any WallClock
    var limits: StreamWatch.Limits

    static let minutes = 30
    /// How long after its end a run's last event may still be on the way to the log, in seconds.
    private static let recent = 5.0

    init(workflows: WorkflowService, ticker: Ticker, clock: any WallClock) {
        self.workflows = workflows
        self.ticker = ticker
        self.clock = clock
        limits = StreamWatch.Limits()
        limits.total = .seconds(RunStreams.minutes * 60)
    }

    func response(for run: WorkflowRun, after: String?, _ request: Request, _ context: APIContext) -> Response {
        let isLongOver = run.finishedAt.map { clock.now().seconds(since: $0) > RunStreams.recent } ?? false
        let session = RunStreamSession(
            self, run: run, isLongOver: isLongOver, after: after, channel: context.channel)
        return StreamHost.response { writer in try await session.run(request.body, &writer) }
    }
}

/// One client that follows a run. A run ends once, and its `done` is the last entry of its log: simpler than a task's.
struct RunStreamSession: Sendable {
    private let workflows: WorkflowService
    private let run: WorkflowRun
    /// What its log has no end for has none.
    private let isLongOver: Bool
    private let after: String?
    private let host: StreamHost

    init(_ streams: RunStreams, run: WorkflowRun, isLongOver: Bool, after: String?, channel: any Channel) {
        workflows = streams.workflows
        self.run = run
        self.isLongOver = isLongOver
        self.after = after
        host = StreamHost(ticker: streams.ticker, channel: channel, limits: streams.limits)
    }

    func run(_ body: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        try await host.run(body) { [workflows, run, after] in
            workflows.follow(run.id, after: after)
        } serve: { feed, ask in
            try await serve(feed, ask, &writer)
        }
    }

    private func serve(
        _ feed: AsyncStream<StreamHost.Feed>, _ ask: AsyncStream<Void>.Continuation,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        var frames = StreamFrames()
        frames.json(name: "connected", RunStreamSession.state(run, withError: false))
        try await host.write(&frames, &writer)
        ask.yield()
        var caughtUp = false
        for await input in feed {
            switch input {
            case .batch(let batch):
                var isOver = write(batch.entries, &frames)
                if !isOver, batch.caughtUp, isLongOver {
                    frames.json(name: "done", RunStreamSession.state(run))
                    isOver = true
                } else if !isOver, batch.caughtUp, !caughtUp {
                    caughtUp = true
                    // It may have ended before the log was read; its last entry is then on its way, or lost.
                    await settleIfFinished()
                }
                if frames.buffer.readableBytes > 0 { try await host.write(&frames, &writer) }
                if isOver { return }
                ask.yield()
            case .signal(.idle):
                host.watch.sawIdle()
                frames.keepalive()
                try await host.write(&frames, &writer)
                await settleIfFinished()
            case .signal(.settled):
                guard let now = await current() else { return }
                frames.json(name: "done", RunStreamSession.state(now))
                return try await host.write(&frames, &writer)
            case .signal(.timeout):
                frames.timeout(minutes: RunStreams.minutes)
                return try await host.write(&frames, &writer)
            case .signal(.stuck), .stop: return
            }
        }
    }

    /// - Returns: Whether the end was among the entries.
    private func write(_ entries: [LoggedEvent], _ frames: inout StreamFrames) -> Bool {
        for entry in entries {
            switch entry.body {
            case .event: frames.event(entry)
            case .done(let json):
                frames.json(id: entry.id, name: "done", json)
                return true
            }
        }
        return false
    }

    private func settleIfFinished() async {
        if await current()?.status.isFinished == true { host.watch.beginSettling(.now) }
    }

    /// - Returns: `nil` when the record is away.
    private func current() async -> WorkflowRun? {
        do throws(CodeForgeError) {
            return try await workflows.run(run.id)
        } catch {
            return nil
        }
    }

    private static func state(_ run: WorkflowRun, withError: Bool = true) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("run_id", run.id)
        json.member("status", run.status.rawValue)
        if withError { json.member(ifAny: "error", run.error) }
        json.endObject()
        return json.bytes
    }
}
