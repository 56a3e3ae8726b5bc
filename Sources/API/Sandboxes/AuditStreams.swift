import Domain
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// Serves a sandbox's audit as server-sent events: what is on record, then what comes, until the sandbox has ended.
struct AuditStreams: Sendable {
    let sandboxes: SandboxService
    let ticker: Ticker
    var limits = StreamWatch.Limits()

    func response(_ query: AuditQuery, sandbox: String, _ request: Request, _ context: APIContext) -> Response {
        let session = AuditStreamSession(self, query: query, sandbox: sandbox, channel: context.channel)
        return StreamHost.response { writer in try await session.run(request.body, &writer) }
    }
}

/// One client that follows an audit. Holds one page at most.
struct AuditStreamSession: Sendable {
    private enum Feed: Sendable {
        /// Something was put on its audit.
        case changed
        case signal(StreamWatch.Signal)
        case stop
    }

    private let sandboxes: SandboxService
    private let sandbox: String
    private let query: AuditQuery
    private let host: StreamHost

    init(_ streams: AuditStreams, query: AuditQuery, sandbox: String, channel: any Channel) {
        sandboxes = streams.sandboxes
        self.sandbox = sandbox
        self.query = query
        host = StreamHost(ticker: streams.ticker, channel: channel, limits: streams.limits)
    }

    func run(_ body: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        let (feed, source) = AsyncStream<Feed>.makeStream()
        // Before the first page is read: what is written after it wakes us.
        let changes = sandboxes.trail.changes(of: sandbox)
        try await host.run(body) {
            for await _ in changes { source.yield(.changed) }
        } notify: { event in
            switch event {
            case .signal(let signal): source.yield(.signal(signal))
            case .stop: source.yield(.stop)
            }
        } serve: {
            try await serve(feed, &writer)
        }
    }

    private func serve(_ feed: AsyncStream<Feed>, _ writer: inout any ResponseBodyWriter) async throws {
        var frames = StreamFrames()
        var query = query
        let isRunning = await sandboxes.isRunning(sandbox)
        frames.retry()
        frames.json(name: "connected", state(isRunning))
        try await host.write(&frames, &writer)
        var sent = try await send(&query, &frames, &writer)
        // It ended, maybe this moment: its last records are given time to come.
        if !isRunning || sent == .sawEnd { host.watch.beginSettling(.now) }
        for await input in feed {
            if sent == .isAway { return }
            switch input {
            case .changed:
                sent = try await send(&query, &frames, &writer)
                if sent == .sawEnd { host.watch.beginSettling(.now) }
            case .signal(.idle):
                host.watch.sawIdle()
                frames.keepalive()
                try await host.write(&frames, &writer)
                // A supervisor that was lost left no word of the end.
                if await !sandboxes.isRunning(sandbox) { host.watch.beginSettling(.now) }
            case .signal(.settled):
                if try await send(&query, &frames, &writer) != .isAway { try await end(&frames, &writer) }
                return
            case .signal(.timeout):
                frames.timeout()
                return try await host.write(&frames, &writer)
            case .signal(.stuck), .stop: return
            }
        }
    }

    private enum Sent {
        case all
        /// And the sandbox's end was among it.
        case sawEnd
        /// The record is away: the client comes back with the id of the last entry it got.
        case isAway
    }

    /// Sends all there is after `query.after`, page by page.
    private func send(
        _ query: inout AuditQuery, _ frames: inout StreamFrames, _ writer: inout any ResponseBodyWriter
    ) async throws -> Sent {
        var sawEnd = false
        while true {
            let page: [AuditEntry]
            do throws(CodeForgeError) { page = try await sandboxes.trail.entries(query) } catch { return .isAway }
            for entry in page { frames.json(id: String(entry.id), SandboxView.bytes(entry)) }
            if frames.buffer.readableBytes > 0 { try await host.write(&frames, &writer) }
            if let last = page.last { query.after = last.id }
            sawEnd = sawEnd || page.contains { $0.record.kind == .sandbox && $0.record.name == "end" }
            if page.count < query.limit { return sawEnd ? .sawEnd : .all }
        }
    }

    private func end(_ frames: inout StreamFrames, _ writer: inout any ResponseBodyWriter) async throws {
        frames.json(name: "done", state(false))
        try await host.write(&frames, &writer)
    }

    private func state(_ isRunning: Bool) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("sandbox", sandbox)
        json.member("state", isRunning ? "running" : "ended")
        json.endObject()
        return json.bytes
    }
}
