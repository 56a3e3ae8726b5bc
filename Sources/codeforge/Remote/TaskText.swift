import Client
import Domain

/// What is told of a task's record. Not made safe for a terminal here.
enum TaskText {
    /// All of it, for `show`.
    static func sheet(_ task: JSONValue) -> [String] {
        var lines = [
            row("task", task.text("id")), row("status", task.text("status")), row("type", task.text("task_type")),
            row("repository", task.text("repo_url")),
        ]
        let config = task["config"]?.members.map { "\($0.key)=\($0.value.plain)" }.joined(separator: " ") ?? ""
        if !config.isEmpty { lines.append(row("config", config)) }
        lines.append(row("created", task.moment("created_at")))
        for (title, name) in [("started", "started_at"), ("finished", "finished_at")] where task[name] != nil {
            lines.append(row(title, task.moment(name)))
        }
        if let hold = task["hold"], hold != .null {
            lines.append(row("held", hold.members.map { "\($0.key)=\($0.value.plain)" }.joined(separator: " ")))
        }
        lines.append(row("iteration", task.text("iteration")))
        lines += block("prompt", task["prompt"]) + block("follow-up", task["current_prompt"])
        lines += outcome(task)
        lines += block("result", task["result"]) + review(task["review_result"])
        for iteration in task.list("iterations") {
            lines += ["", "iteration \(iteration.text("number")): \(iteration.text("status"))"]
            lines += block("prompt", iteration["prompt"]) + facts(iteration, changes: iteration["changes"])
            lines += block("result", iteration["result"])
        }
        return lines
    }

    /// Error, changes, tokens, branch and pull request.
    ///
    /// - Parameter cost: What the CLI says the run cost, in US dollars.
    static func outcome(_ task: JSONValue, cost: Double? = nil) -> [String] {
        var lines = facts(task, changes: task["changes_summary"])
        if let cost { lines.append(row("cost", "\(Units.dollars(cost)), as the CLI reckons")) }
        for (title, name) in [("branch", "branch"), ("request", "pr_url")] {
            if let value = task[name]?.stringValue, !value.isEmpty { lines.append(row(title, value)) }
        }
        return lines
    }

    private static func facts(_ record: JSONValue, changes: JSONValue?) -> [String] {
        var lines = block("error", record["error"])
        if let changes, changes != .null {
            let files = [("modified", "files_modified"), ("created", "files_created"), ("deleted", "files_deleted")]
                .map { "\(changes.text($0.1)) \($0.0)" }
            lines.append(row("changes", files.joined(separator: ", ") + "  " + changes.text("diff_stats")))
        }
        if let usage = record["usage"], usage != .null {
            lines.append(row("tokens", "\(usage.text("input_tokens")) in, \(usage.text("output_tokens")) out"))
            lines.append(row("duration", Units.duration(usage["duration_seconds"]?.number ?? 0)))
        }
        return lines
    }

    static func review(_ review: JSONValue?) -> [String] {
        guard let review, review != .null else { return [] }
        var lines = [row("verdict", "\(review.text("verdict")), score \(review.text("score")) of 10")]
        lines += block("summary", review["summary"])
        for issue in review.list("issues") {
            let place = issue.text("file") + (issue["line"]?.intValue.map { $0 > 0 ? ":\($0)" : "" } ?? "")
            lines.append("  \(issue.text("severity"))  \(place)  \(issue.text("description"))")
            if let hint = issue["suggestion"]?.stringValue, !hint.isEmpty { lines.append("    → \(hint)") }
        }
        return lines
    }

    static func row(_ title: String, _ text: String) -> String {
        title + String(repeating: " ", count: max(1, 12 - title.count)) + text
    }

    /// A text of perhaps several lines.
    static func block(_ title: String, _ value: JSONValue?) -> [String] {
        guard let text = value?.stringValue, !text.isEmpty else { return [] }
        let lines = text.split(whereSeparator: \.isNewline)
        return lines.enumerated().map { row($0.offset == 0 ? title : "", String($0.element)) }
    }
}
