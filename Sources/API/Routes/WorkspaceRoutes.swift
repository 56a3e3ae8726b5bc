import Domain
import Engine
import HTTPTypes
import Hummingbird

/// Workspaces, and what runs changed in them.
struct WorkspaceRoutes: Sendable {
    private let workspaces: WorkspaceService

    init(_ dependencies: APIDependencies) { workspaces = dependencies.workspaces }

    var routes: [Route] {
        [
            Route(.get, "/api/v1/tasks/{taskID}/diff", "Get what a task changed", handler: taskDiff),
            Route(.get, "/api/v1/workspaces", "List workspaces", handler: list),
            Route(.delete, "/api/v1/workspaces/{taskID}", "Delete a workspace", handler: delete),
            Route(.get, "/api/v1/workspaces/{taskID}/diff", "Get what a workspace holds", handler: diff),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let all = try await workspaces.list()
        return .json { json in
            json.name("workspaces")
            json.beginArray()
            for workspace in all { write(workspace, to: &json) }
            json.endArray()
            json.member("total_size_mb", Double(all.reduce(0) { $0 + $1.bytes }) / 1_048_576)
            json.member("total_count", all.count)
        }
    }

    private func write(_ workspace: Workspace, to json: inout JSONWriter) {
        let created = workspace.createdAt.seconds
        json.beginObject()
        json.member("task_id", workspace.taskID)
        json.member("size_mb", Double(workspace.bytes) / 1_048_576)
        json.member("created_at", Timestamp(nanoseconds: created * 1_000_000_000))
        json.member(
            "expires_at", Timestamp(nanoseconds: (created + Int64(workspaces.configuration.ttl)) * 1_000_000_000))
        json.member("task_status", workspace.taskStatus?.rawValue ?? "unknown")
        json.endObject()
    }

    @Sendable private func delete(_ request: Request, _ context: APIContext) async throws -> Response {
        try await workspaces.delete(context.taskID)
        return .json { $0.member("message", "workspace deleted") }
    }

    @Sendable private func diff(_ request: Request, _ context: APIContext) async throws -> Response {
        WorkspaceRoutes.response(try await workspaces.diff(ofWorkspace: context.taskID))
    }

    @Sendable private func taskDiff(_ request: Request, _ context: APIContext) async throws -> Response {
        let text = request.uri.queryParameters["iteration"]
        let iteration = text.flatMap { Int($0) }
        guard text == nil || (iteration ?? 0) > 0 else {
            throw HTTPFailure(.badRequest, "iteration must be a number from 1")
        }
        return WorkspaceRoutes.response(try await workspaces.diff(ofTask: context.taskID, iteration: iteration))
    }

    private static func response(_ diff: WorkspaceDiff) -> Response {
        var headers: HTTPFields = [:]
        if diff.isTruncated { headers[.diffTruncated] = "true" }
        return .text(diff.text, type: "text/x-diff; charset=utf-8", headers: headers)
    }
}
