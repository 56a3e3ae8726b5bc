import Domain
import Engine
import HTTPTypes
import Hummingbird

/// Looking into sandboxes, and acting on them.
struct SandboxRoutes: Sendable {
    private let sandboxes: SandboxService
    private let streams: AuditStreams
    private let clock: any WallClock

    init(_ dependencies: APIDependencies, ticker: Ticker) {
        sandboxes = dependencies.sandboxes
        clock = dependencies.clock
        streams = AuditStreams(sandboxes: dependencies.sandboxes, ticker: ticker)
    }

    var routes: [Route] {
        let path = "/api/v1/sandboxes/{sandboxID}"
        return [
            Route(.get, "/api/v1/sandboxes", "List running sandboxes") { _, _ in try await list() },
            Route(.get, path, "Look at a running sandbox", handler: get),
            Route(.get, path + "/processes", "List a sandbox's processes", handler: processes),
            Route(.get, path + "/audit", "Read or follow a sandbox's audit", handler: audit),
            Route(.post, path + "/kill", "End a sandbox", handler: action(.kill)),
            Route(.post, path + "/pause", "Pause a sandbox", handler: action(.pause)),
            Route(.post, path + "/resume", "Resume a paused sandbox", handler: action(.resume)),
        ]
    }

    private func list() async throws -> Response {
        let running = try await sandboxes.running()
        let now = clock.now()
        return .json { json in
            json.name("sandboxes")
            json.beginArray()
            for status in running {
                json.beginObject()
                SandboxView.write(status, now: now, whole: false, to: &json)
                json.endObject()
            }
            json.endArray()
            json.member("total", running.count)
        }
    }

    @Sendable private func get(_ request: Request, _ context: APIContext) async throws -> Response {
        let status = try await sandboxes.status(of: sandboxID(context))
        return .json { SandboxView.write(status, now: clock.now(), whole: true, to: &$0) }
    }

    @Sendable private func processes(_ request: Request, _ context: APIContext) async throws -> Response {
        let id = sandboxID(context)
        let processes = try await sandboxes.processes(of: id)
        return .json { json in
            json.member("id", id)
            json.name("processes")
            SandboxView.write(processes, to: &json)
            json.member("total", processes.count)
        }
    }

    @Sendable private func audit(_ request: Request, _ context: APIContext) async throws -> Response {
        let id = sandboxID(context)
        try await sandboxes.checkKnown(id)
        var query = try AuditQuery(.sandbox(id), request)
        let asksForStream = request.headers[values: .accept].contains { $0.contains("text/event-stream") }
        if asksForStream || request.uri.queryParameters["follow"].map(String.init) == "true" {
            return streams.response(query, sandbox: id, context)
        }
        // One more than asked for tells whether there is a next page.
        let limit = query.limit
        query.limit += 1
        let entries = try await sandboxes.trail.entries(query)
        return .json { json in
            json.name("records")
            json.beginArray()
            for entry in entries.prefix(limit) { SandboxView.write(entry, to: &json) }
            json.endArray()
            if entries.count > limit { json.member("next", String(entries[limit - 1].id)) }
        }
    }

    private func action(_ action: SandboxAction) -> Route.Handler {
        { _, context in
            let id = sandboxID(context)
            try await sandboxes.perform(action, on: id, by: context.caller?.name ?? "nobody")
            return .json { json in
                json.member("id", id)
                switch action {
                case .kill: json.member("state", "killed")
                case .pause: json.member("state", "paused")
                case .resume: json.member("state", "running")
                }
            }
        }
    }

    private func sandboxID(_ context: APIContext) -> String { context.decoded("sandboxID") }
}

extension AuditQuery {
    static let longestPage = 1000

    /// Reads `limit`, `after`, `kind` and `verdict`; `Last-Event-ID` is another name of `after`.
    ///
    /// - Throws: `.invalidArgument` for a kind, verdict or place there is not. A limit that is no number is ignored, as
    ///   in other lists.
    init(_ scope: Scope, _ request: Request) throws(CodeForgeError) {
        self.init(scope)
        let query = request.uri.queryParameters
        func value(_ name: Substring) -> String? { query[name].flatMap { $0.isEmpty ? nil : String($0) } }
        if let limit = value("limit").flatMap({ Int($0) }), limit > 0 { self.limit = min(limit, Self.longestPage) }
        var wrong: [(name: String, reason: String)] = []
        if let text = request.headers[.lastEventID]?.filled ?? value("after") {
            if let place = Int64(text), place >= 0 {
                after = place
            } else {
                wrong.append(("after", "is no record's id"))
            }
        }
        if let text = value("kind") {
            kind = AuditRecord.Kind(rawValue: text)
            if kind == nil { wrong.append(("kind", "is none of \(names(AuditRecord.Kind.self))")) }
        }
        if let text = value("verdict") {
            verdict = AuditRecord.Verdict(rawValue: text)
            if verdict == nil { wrong.append(("verdict", "is none of \(names(AuditRecord.Verdict.self))")) }
        }
        guard let first = wrong.first else { return }
        throw CodeForgeError(.invalidArgument, "\(first.name): \(first.reason)", fields: wrong)
    }
}

private func names<Value: CaseIterable & RawRepresentable>(_: Value.Type) -> String where Value.RawValue == String {
    Value.allCases.map(\.rawValue).joined(separator: ", ")
}
