import Domain
import FoundationEssentials
import GRDB

/// A `CodeTask` as a row; the only place that knows the columns. Times are nanoseconds, nested values JSON.
enum TaskRow {
    static let columns = [
        "id", "status", "type", "repo_url", "prompt", "provider_key", "callback_url", "workflow_run_id", "config",
        "iteration", "current_prompt", "result", "error", "changes", "usage", "review", "review_cli", "review_model",
        "branch", "pr_number", "pr_url", "trace_id", "created_at", "started_at", "finished_at", "session_id",
        "session_cli", "attempt", "workspace_slug", "ended_attempt", "follow_up_waits", "posting",
        "trace_parent", "head_sha", "trust", "hold", "session_usage",
    ]

    static let list = columns.joined(separator: ", ")

    /// What `TaskStore.list` gives: the rest may lie on many pages of its own.
    static let listed = columns.map { name in
        switch name {
        case "result", "review", "current_prompt": "NULL AS \(name)"
        case "prompt": "substr(prompt, 1, 201) AS prompt"
        default: name
        }
    }.joined(separator: ", ")

    static let insert =
        "INSERT INTO tasks (\(list)) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))"

    /// All columns but `id`, then `id`.
    static let update =
        "UPDATE tasks SET \(columns.dropFirst().map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?"

    static func values(_ task: CodeTask) throws -> [(any DatabaseValueConvertible)?] {
        [
            task.id, task.status.rawValue, task.type.rawValue, stored(task.repoURL), stored(task.prompt),
            stored(task.providerKey), stored(task.callbackURL), stored(task.workflowRunID), try json(task.config),
            task.iteration, stored(task.currentPrompt), stored(task.result), stored(task.error),
            try json(task.changes), try json(task.usage), try json(task.review), stored(task.reviewCLI),
            stored(task.reviewModel), stored(task.branch), task.prNumber, stored(task.prURL), stored(task.traceID),
            task.createdAt.nanoseconds, task.startedAt?.nanoseconds, task.finishedAt?.nanoseconds,
            stored(task.sessionID), stored(task.sessionCLI), task.attempt, stored(task.workspaceSlug),
            task.endedAttempt, task.followUpWaits, try json(task.posting),
            task.trace?.traceparent,
            stored(task.headSHA), task.trust?.rawValue, try json(task.hold), try json(task.sessionUsage),
        ]
    }

    static func task(_ row: Row) throws -> CodeTask {
        guard let status = TaskStatus(rawValue: row["status"]), let type = TaskType(rawValue: row["type"]) else {
            throw CodeForgeError(.internal, "task \(row["id"] as String) has an unknown status or type")
        }
        var task = CodeTask(
            id: row["id"],
            status: status,
            type: type,
            repoURL: text(row, "repo_url") ?? "",
            prompt: text(row, "prompt") ?? "",
            config: try value(row["config"]),
            workspaceSlug: text(row, "workspace_slug") ?? "",
            createdAt: Timestamp(nanoseconds: row["created_at"])
        )
        task.providerKey = text(row, "provider_key")
        task.callbackURL = text(row, "callback_url")
        task.workflowRunID = text(row, "workflow_run_id")
        task.iteration = row["iteration"]
        task.currentPrompt = text(row, "current_prompt")
        task.result = text(row, "result")
        task.error = text(row, "error")
        task.changes = try value(row["changes"])
        task.usage = try value(row["usage"])
        task.review = try value(row["review"])
        task.reviewCLI = text(row, "review_cli")
        task.reviewModel = text(row, "review_model")
        task.branch = text(row, "branch")
        task.prNumber = row["pr_number"]
        task.prURL = text(row, "pr_url")
        task.traceID = text(row, "trace_id")
        task.startedAt = (row["started_at"] as Int64?).map(Timestamp.init(nanoseconds:))
        task.finishedAt = (row["finished_at"] as Int64?).map(Timestamp.init(nanoseconds:))
        task.sessionID = text(row, "session_id")
        task.sessionCLI = text(row, "session_cli")
        task.attempt = row["attempt"]
        task.endedAttempt = row["ended_attempt"]
        task.followUpWaits = row["follow_up_waits"]
        task.posting = try value(row["posting"])
        task.trace = (row["trace_parent"] as String?).flatMap { TraceContext(traceparent: $0) }
        task.headSHA = text(row, "head_sha")
        task.trust = (row["trust"] as String?).map { TaskTrust(rawValue: $0) ?? .untrusted }
        task.hold = try value(row["hold"])
        task.sessionUsage = try value(row["session_usage"])
        return task
    }

    /// SQLite ends a text at its first NUL, and a prompt or result may hold one: such a text is stored as a blob.
    static func stored(_ text: String?) -> (any DatabaseValueConvertible)? {
        guard let text, text.utf8.contains(0) else { return text }
        return Data(text.utf8)
    }

    static func text(_ row: Row, _ column: String) -> String? {
        let value: DatabaseValue = row[column]
        switch value.storage {
        case .string(let text): return text
        case .blob(let data): return String(decoding: data, as: UTF8.self)
        default: return nil
        }
    }

    static func json<Value: Encodable>(_ value: Value?) throws -> String? {
        try value.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    }

    static func value<Value: Decodable>(_ json: String?) throws -> Value? {
        try json.map { try JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
    }
}
