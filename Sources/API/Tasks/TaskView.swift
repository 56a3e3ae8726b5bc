import Domain
import Engine

/// Tasks as clients see them. Members that are empty or zero are left out, as the reference does.
enum TaskView {
    /// The whole body that answers `POST /tasks`.
    static func created(_ task: CodeTask) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("id", task.id)
        json.member("status", task.status.rawValue)
        json.member("created_at", task.createdAt)
        json.endObject()
        return json.bytes + [UInt8(ascii: "\n")]
    }

    /// `GET /tasks/{taskID}`: between the braces.
    static func write(_ task: CodeTask, iterations: [Iteration], to json: inout JSONWriter) {
        json.member("id", task.id)
        json.member("status", task.status.rawValue)
        json.member("task_type", task.type.rawValue)
        json.member("repo_url", task.repoURL)
        json.member("prompt", task.prompt)
        json.member(ifAny: "provider_key", task.providerKey)
        json.member(ifAny: "callback_url", task.callbackURL)
        json.member(ifAny: "workflow_run_id", task.workflowRunID)
        json.member(ifAny: "result", task.result)
        json.member(ifAny: "error", task.error)
        if let config = task.config {
            json.name("config")
            write(config, to: &json)
        }
        if let changes = task.changes {
            json.name("changes_summary")
            write(changes, to: &json)
        }
        if let usage = task.usage {
            json.name("usage")
            write(usage, to: &json)
        }
        if let review = task.review {
            json.name("review_result")
            write(review, to: &json)
        }
        json.member("iteration", task.iteration)
        json.member(ifAny: "current_prompt", task.currentPrompt)
        if !iterations.isEmpty {
            json.name("iterations")
            json.beginArray()
            for iteration in iterations { write(iteration, to: &json) }
            json.endArray()
        }
        json.member(ifAny: "branch", task.branch)
        json.member(ifAny: "pr_number", task.prNumber)
        json.member(ifAny: "pr_url", task.prURL)
        json.member(ifAny: "head_sha", task.headSHA)
        json.member(ifAny: "trust", task.trust?.rawValue)
        write(hold: task, to: &json)
        json.member(ifAny: "trace_id", task.traceID)
        json.member("created_at", task.createdAt)
        json.member(ifAny: "started_at", task.startedAt)
        json.member(ifAny: "finished_at", task.finishedAt)
    }

    /// An item of `GET /tasks`.
    static func writeItem(_ task: CodeTask, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", task.id)
        json.member("status", task.status.rawValue)
        json.member("task_type", task.type.rawValue)
        json.member("repo_url", task.repoURL)
        json.member("prompt", Truncation.cut(task.prompt, utf8: 200))
        json.member("iteration", task.iteration)
        json.member("error", task.error ?? "")
        json.member("branch", task.branch ?? "")
        json.member("pr_url", task.prURL ?? "")
        json.member(ifAny: "workflow_run_id", task.workflowRunID)
        write(hold: task, to: &json)
        if let changes = task.changes, !changes.isEmpty {
            json.name("changes_summary")
            write(changes, to: &json)
        }
        json.member("created_at", task.createdAt)
        json.member(ifAny: "started_at", task.startedAt)
        json.member(ifAny: "finished_at", task.finishedAt)
        json.endObject()
    }

    /// Why a pending task does not run.
    private static func write(hold task: CodeTask, to json: inout JSONWriter) {
        guard task.status == .pending, let hold = task.hold else { return }
        json.name("hold")
        json.beginObject()
        json.member("reason", hold.reason.rawValue)
        json.member(ifAny: "detail", hold.detail)
        json.member(ifAny: "head_sha", task.headSHA)
        json.endObject()
    }

    static func write(_ changes: ChangesSummary, to json: inout JSONWriter) {
        json.beginObject()
        json.member("files_modified", changes.filesModified)
        json.member("files_created", changes.filesCreated)
        json.member("files_deleted", changes.filesDeleted)
        json.member("diff_stats", changes.diffStats)
        json.endObject()
    }

    private static func write(_ usage: Usage, to json: inout JSONWriter) {
        json.beginObject()
        json.member("input_tokens", usage.inputTokens)
        json.member("output_tokens", usage.outputTokens)
        json.member("duration_seconds", usage.durationSeconds)
        json.endObject()
    }

    private static func write(_ review: ReviewResult, to json: inout JSONWriter) {
        json.beginObject()
        json.member("verdict", review.verdict)
        json.member("score", review.score)
        json.member("summary", review.summary)
        json.name("issues")
        json.beginArray()
        for issue in review.issues {
            json.beginObject()
            json.member("severity", issue.severity)
            json.member("file", issue.file)
            json.member("line", issue.line)
            json.member("description", issue.description)
            json.member(ifAny: "suggestion", issue.suggestion)
            json.endObject()
        }
        json.endArray()
        json.member("auto_fixable", review.autoFixable)
        json.member("reviewed_by", review.reviewedBy)
        json.member("duration_seconds", review.durationSeconds)
        json.endObject()
    }

    private static func write(_ iteration: Iteration, to json: inout JSONWriter) {
        json.beginObject()
        json.member("number", iteration.number)
        json.member("prompt", iteration.prompt)
        json.member("status", iteration.status.rawValue)
        json.member(ifAny: "result", Truncation.cut(iteration.result, utf8: 2000))
        json.member(ifAny: "error", iteration.error)
        if let changes = iteration.changes {
            json.name("changes")
            write(changes, to: &json)
        }
        if let usage = iteration.usage {
            json.name("usage")
            write(usage, to: &json)
        }
        json.member("started_at", iteration.startedAt)
        json.member(ifAny: "ended_at", iteration.endedAt)
        json.member(ifAny: "limit", iteration.limit)
        json.member(ifAny: "profile", iteration.profile)
        if let profile = iteration.effectiveProfile {
            json.name("effective_profile")
            json.value(profile)
        }
        if let layers = iteration.missingLayers, !layers.isEmpty { SandboxView.write(missing: layers, to: &json) }
        json.endObject()
    }

    /// What the client sent, with the values that may be secrets masked.
    private static func write(_ config: TaskConfig, to json: inout JSONWriter) {
        json.beginObject()
        json.member(ifAny: "timeout_seconds", config.timeoutSeconds)
        json.member(ifAny: "cli", config.cli)
        json.member(ifAny: "ai_model", config.aiModel)
        json.member(ifAny: "max_turns", config.maxTurns)
        json.member(ifAny: "source_branch", config.sourceBranch)
        json.member(ifAny: "target_branch", config.targetBranch)
        if let budget = config.maxBudgetUSD, budget != 0 { json.member("max_budget_usd", budget) }
        json.member(ifAny: "workspace_task_id", config.workspaceTaskID)
        if let servers = config.mcpServers, !servers.isEmpty {
            json.name("mcp_servers")
            json.beginArray()
            for server in servers { write(server, to: &json) }
            json.endArray()
        }
        if let tools = config.tools, !tools.isEmpty {
            json.name("tools")
            json.beginArray()
            for tool in tools {
                json.beginObject()
                json.member("name", tool.name ?? "")
                writeMasked("config", tool.config, to: &json)
                json.endObject()
            }
            json.endArray()
        }
        json.member(ifAny: "pr_number", config.prNumber)
        json.member(ifAny: "output_mode", config.outputMode)
        json.endObject()
    }

    private static func write(_ server: MCPServer, to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", server.name ?? "")
        json.member(ifAny: "transport", server.transport)
        json.member(ifAny: "package", server.package)
        json.member(ifAny: "command", server.command)
        json.member(ifAny: "args", server.args ?? [])
        writeMasked("env", server.env, to: &json)
        json.member(ifAny: "url", server.url)
        writeMasked("headers", server.headers, to: &json)
        json.endObject()
    }

    private static func writeMasked(_ name: StaticString, _ map: [String: String]?, to json: inout JSONWriter) {
        json.member(ifAny: name, map?.mapValues { _ in TaskConfig.mask })
    }
}
