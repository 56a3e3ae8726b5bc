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

    func response(for run: WorkflowRun, after: String?, _ context: APIContext) -> Response {
        let isLongOver = run.finishedAt.map { clock.now().seconds(since: $0) > RunStreams.recent } ?? false
        let session = RunStreamSession(workflows, run, isLongOver: isLongOver, after: after)
        return StreamHost.response(session, ticker: ticker, channel: context.channel, limits: limits)
    }
}

/// One client that follows a run. A run ends once, and its `done` is the last entry of its log: simpler than a task's.
struct RunStreamSession: StreamSession {
    private let workflows: WorkflowService
    private let run: String
    /// The last frame of a run that was over for long: what its log has no end for has none.
    private let longOver: [UInt8]?
    private let after: String?
    /// Once it has begun.
    private var reader: (any EventReader)?
    private var frames = StreamFrames()
    private var hasCaughtUp = false

    init(_ workflows: WorkflowService, _ run: WorkflowRun, isLongOver: Bool, after: String?) {
        self.workflows = workflows
        self.run = run.id
        longOver = isLongOver ? RunStreamSession.state(run) : nil
        self.after = after
        frames.json(name: "connected", RunStreamSession.state(run, withError: false))
    }

    mutating func serve(_ reasons: StreamHost.Reasons, _ host: StreamHost) async throws -> Bool {
        if reasons.contains(.stop) { return false }
        if reasons.contains(.start) { reader = workflows.reader(of: run, after: after) { host.wake(.news) } }
        let goesOn = await look(reasons, host)
        try await host.write(frames.take())
        return goesOn
    }

    private mutating func look(_ reasons: StreamHost.Reasons, _ host: StreamHost) async -> Bool {
        if reasons.contains(.settled) {
            if let now = await current() { frames.json(name: "done", RunStreamSession.state(now)) }
            return false
        }
        if reasons.contains(.timeout) {
            frames.timeout(minutes: RunStreams.minutes)
            return false
        }
        if reasons.contains(.idle) {
            frames.keepalive()
            await settleIfFinished(host)
        }
        guard !reasons.isDisjoint(with: [.start, .news]) else { return true }
        return await showNews(host)
    }

    private mutating func showNews(_ host: StreamHost) async -> Bool {
        let batch: EventBatch?
        do throws(CodeForgeError) {
            batch = try await reader?.next()
        } catch {
            return false  // the log is away: the client comes back with the id of the last event it got
        }
        guard let batch else { return true }
        if write(batch.entries) { return false }
        if batch.caughtUp, let longOver {
            frames.json(name: "done", longOver)
            return false
        }
        if batch.caughtUp, !hasCaughtUp {
            hasCaughtUp = true
            // It may have ended before the log was read; its last entry is then on its way, or lost.
            await settleIfFinished(host)
        }
        host.wake(.news)
        return true
    }

    /// - Returns: Whether the end was among the entries.
    private mutating func write(_ entries: [LoggedEvent]) -> Bool {
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

    private func settleIfFinished(_ host: StreamHost) async {
        if await current()?.status.isFinished == true { host.settle() }
    }

    /// - Returns: `nil` when the record is away.
    private func current() async -> WorkflowRun? {
        do throws(CodeForgeError) {
            return try await workflows.run(run)
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
