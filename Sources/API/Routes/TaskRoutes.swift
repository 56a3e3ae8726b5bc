import Domain
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// Creating, reading and steering tasks.
struct TaskRoutes: Sendable {
    private let tasks: TaskService
    private let trail: AuditTrail
    private let limits: RateLimits
    private let replays: Replays
    private let body: BodyReader
    private let streams: EventStreams

    init(_ dependencies: APIDependencies, ticker: Ticker) {
        tasks = dependencies.tasks
        trail = dependencies.sandboxes.trail
        limits = RateLimits(dependencies.rateLimiter)
        replays = Replays(dependencies)
        body = BodyReader(limit: dependencies.maxBodyBytes)
        streams = EventStreams(tasks: dependencies.tasks, ticker: ticker, clock: dependencies.clock)
    }

    var routes: [Route] {
        [
            // The limit comes before the body is looked at: wrong requests count too.
            Route(
                .post, "/api/v1/tasks", "Create a task", access: .submit,
                handler: limits.around(replays.around(create))),
            Route(.get, "/api/v1/tasks", "List tasks", handler: list),
            Route(.get, "/api/v1/tasks/{taskID}", "Get a task", handler: get),
            Route(
                .post, "/api/v1/tasks/{taskID}/instruct", "Send a follow-up instruction", access: .submit,
                handler: instruct),
            Route(.post, "/api/v1/tasks/{taskID}/cancel", "Cancel a running task", access: .submit, handler: cancel),
            Route(
                .post, "/api/v1/tasks/{taskID}/approve", "Let a held task run", access: .submit, handler: approve),
            Route(.get, "/api/v1/tasks/{taskID}/stream", "Stream a task's events", isLimited: false, handler: stream),
        ]
    }

    @Sendable private func create(_ request: Request, _ context: APIContext) async throws -> Response {
        let draft = try await body.decode(CreateTaskRequest.self, from: request).draft
        let receipt = context.claim.map { claim in
            { @Sendable [replays] (task: CodeTask) in
                replays.ledger.receipt(claim, status: 201, body: TaskView.created(task))
            }
        }
        let task = try await tasks.create(draft, receipt: receipt)
        return Replays.created(TaskView.created(task))
    }

    @Sendable private func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = request.uri.queryParameters
        let status = query["status"].flatMap { $0.isEmpty ? nil : String($0) }
        let limit = query["limit"].flatMap { Int($0) } ?? 0
        let offset = query["offset"].flatMap { Int($0) } ?? 0
        let (found, total) = try await tasks.list(
            status: status,
            limit: limit <= 0 ? 50 : min(limit, 200),
            offset: max(offset, 0)
        )
        return .json { json in
            json.name("tasks")
            json.beginArray()
            for task in found { TaskView.writeItem(task, to: &json) }
            json.endArray()
            json.member("total", total)
        }
    }

    @Sendable private func get(_ request: Request, _ context: APIContext) async throws -> Response {
        let task = try await tasks.task(context.taskID)
        let include = TaskRoutes.included(request)
        let iterations = include.contains("iterations") ? try await tasks.iterations(of: task.id) : []
        let limit = AuditQuery.longestPage
        let audit =
            include.contains("audit") ? try await trail.entries(AuditQuery(.task(task.id), limit: limit + 1)) : nil
        return .json { json in
            TaskView.write(task, iterations: iterations, to: &json)
            guard let audit else { return }
            json.name("audit")
            json.beginArray()
            for entry in audit.prefix(limit) { SandboxView.write(entry, to: &json) }
            json.endArray()
            if audit.count > limit { json.member("audit_truncated", true) }
        }
    }

    /// Values of `include`, which may be repeated or hold several with commas between.
    private static func included(_ request: Request) -> Set<Substring> {
        guard request.uri.query != nil else { return [] }
        return Set(request.uri.queryParameters.getAll("include").flatMap { $0.split(separator: ",") })
    }

    @Sendable private func instruct(_ request: Request, _ context: APIContext) async throws -> Response {
        let prompt = try await body.decode(InstructRequest.self, from: request).prompt
        let task = try await tasks.instruct(context.taskID, prompt: prompt)
        return .json { json in
            json.member("id", task.id)
            json.member("status", task.status.rawValue)
            json.member("iteration", task.iteration)
        }
    }

    @Sendable private func cancel(_ request: Request, _ context: APIContext) async throws -> Response {
        let task = try await tasks.cancel(context.taskID)
        return .json { json in
            json.member("id", task.id)
            json.member("status", "canceling")
            json.member("message", "task cancellation requested")
        }
    }

    @Sendable private func approve(_ request: Request, _ context: APIContext) async throws -> Response {
        let sha = try await body.decodeIfAny(ApproveRequest.self, from: request)?.headSHA
        let task = try await tasks.approve(context.taskID, headSHA: sha)
        return .json { json in
            json.member("id", task.id)
            json.member("status", task.status.rawValue)
            json.member(ifAny: "head_sha", task.headSHA)
        }
    }

    @Sendable private func stream(_ request: Request, _ context: APIContext) async throws -> Response {
        let task = try await tasks.task(context.taskID)
        let after = request.headers[.lastEventID] ?? request.uri.queryParameters["after"].map { String($0) }
        return streams.response(for: task, after: after?.filled, context)
    }
}
