import Domain
import FoundationEssentials
import GRDB

/// A `CodeTask` as a row; the only place that knows the columns. Times are nanoseconds, nested values JSON.
enum TaskRow {
    static let columns = [
        "id", "status", "type", "repo_url", "prompt", "provider_key", "callback_url", "workflow_run_id", "config",
        "iteration", "current_prompt", "result", "error", "changes", "usage", "review", "review_cli", "review_model",
        "branch", "pr_number", "pr_url", "trace_id", "created_at", "started_at", "finished_at", "session_id",
        "session_cli", "attempt", "workspace_slug",
    ]

    static let list = columns.joined(separator: ", ")

    static let insert =
        "INSERT INTO tasks (\(list)) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))"

    /// All columns but `id`, then `id`.
    static let update =
        "UPDATE tasks SET \(columns.dropFirst().map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?"

    static func values(_ task: CodeTask) throws -> [(any DatabaseValueConvertible)?] {
        [
            task.id, task.status.rawValue, task.type.rawValue, task.repoURL, task.prompt, task.providerKey,
            task.callbackURL, task.workflowRunID, try json(task.config), task.iteration, task.currentPrompt,
            task.result, task.error, try json(task.changes), try json(task.usage), try json(task.review),
            task.reviewCLI, task.reviewModel, task.branch, task.prNumber, task.prURL, task.traceID,
            task.createdAt.nanoseconds, task.startedAt?.nanoseconds, task.finishedAt?.nanoseconds, task.sessionID,
            task.sessionCLI, task.attempt, task.workspaceSlug,
        ]
    }

    static func task(_ row: Row) throws -> CodeTask {
        guard let status = TaskStatus(rawValue: row["status"]), let type = TaskType(rawValue: row["type"]) else {
            throw CodeForgeError(.internal, "task \(row["id"] as String) has an unknown status or type")
        }
        var task = CodeTask(
            id: row["id"], status: status, type: type, repoURL: row["repo_url"], prompt: row["prompt"],
            config: try value(row["config"]), workspaceSlug: row["workspace_slug"],
            createdAt: Timestamp(nanoseconds: row["created_at"]))
        task.providerKey = row["provider_key"]
        task.callbackURL = row["callback_url"]
        task.workflowRunID = row["workflow_run_id"]
        task.iteration = row["iteration"]
        task.currentPrompt = row["current_prompt"]
        task.result = row["result"]
        task.error = row["error"]
        task.changes = try value(row["changes"])
        task.usage = try value(row["usage"])
        task.review = try value(row["review"])
        task.reviewCLI = row["review_cli"]
        task.reviewModel = row["review_model"]
        task.branch = row["branch"]
        task.prNumber = row["pr_number"]
        task.prURL = row["pr_url"]
        task.traceID = row["trace_id"]
        task.startedAt = (row["started_at"] as Int64?).map(Timestamp.init(nanoseconds:))
        task.finishedAt = (row["finished_at"] as Int64?).map(Timestamp.init(nanoseconds:))
        task.sessionID = row["session_id"]
        task.sessionCLI = row["session_cli"]
        task.attempt = row["attempt"]
        return task
    }

    static func json<Value: Encodable>(_ value: Value?) throws -> String? {
        try value.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    }

    static func value<Value: Decodable>(_ json: String?) throws -> Value? {
        try json.map { try JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
    }
}
