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

    func response(_ query: AuditQuery, sandbox: String, _ context: APIContext) -> Response {
        let session = AuditStreamSession(sandboxes, query, sandbox)
        return StreamHost.response(session, ticker: ticker, channel: context.channel, limits: limits)
    }
}

/// One client that follows an audit.
struct AuditStreamSession: StreamSession {
    private let sandboxes: SandboxService
    private let sandbox: String
    /// Once it has begun.
    private var follower: AuditTrail.Follower?
    private var query: AuditQuery
    private var frames = StreamFrames()

    init(_ sandboxes: SandboxService, _ query: AuditQuery, _ sandbox: String) {
        self.sandboxes = sandboxes
        self.query = query
        self.sandbox = sandbox
    }

    mutating func serve(_ reasons: StreamHost.Reasons, _ host: StreamHost) async throws -> Bool {
        if reasons.contains(.stop) { return false }
        // Before the first page is read: what is written after it wakes us.
        if reasons.contains(.start) { follower = sandboxes.trail.follow(sandbox) { host.wake(.news) } }
        if reasons.contains(.start) || reasons.contains(.idle) {
            let isRunning = await sandboxes.isRunning(sandbox)
            if reasons.contains(.start) {
                frames.retry()
                frames.json(name: "connected", state(isRunning))
            } else {
                frames.keepalive()
            }
            // It ended, maybe this moment: its last records are given time to come. A supervisor that was lost left no
            // word of the end.
            if !isRunning { host.settle() }
        }
        let goesOn = await look(reasons, host)
        try await host.write(frames.take())
        return goesOn
    }

    private mutating func look(_ reasons: StreamHost.Reasons, _ host: StreamHost) async -> Bool {
        if reasons.contains(.timeout) {
            frames.timeout()
            return false
        }
        guard !reasons.isDisjoint(with: [.start, .news, .settled]) else { return true }
        let page: [AuditEntry]
        do throws(CodeForgeError) {
            page = try await sandboxes.trail.entries(query)
        } catch {
            return false  // the record is away: the client comes back with the id of the last entry it got
        }
        for entry in page { frames.json(id: String(entry.id), SandboxView.bytes(entry)) }
        if let last = page.last { query.after = last.id }
        if page.contains(where: { $0.record.kind == .sandbox && $0.record.name == "end" }) { host.settle() }
        if page.count >= query.limit {
            host.wake(reasons.intersection(.settled).union(.news))  // there is more
        } else if reasons.contains(.settled) {
            frames.json(name: "done", state(false))
            return false
        }
        return true
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
