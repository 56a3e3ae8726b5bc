import Client
import Domain

/// What is told of workflows and their runs. Not made safe for a terminal here.
enum WorkflowText {
    /// A definition, for `show`.
    static func sheet(_ workflow: JSONValue) -> [String] {
        var lines = [TaskText.row("workflow", workflow.text("name"))]
        if workflow["builtin"] == true { lines.append(TaskText.row("built-in", "yes")) }
        lines += TaskText.block("description", workflow["description"])
        lines.append(TaskText.row("created", workflow.moment("created_at")))
        for parameter in workflow.list("parameters") {
            var text = parameter.text("name") + (parameter["required"] == true ? " (required)" : "")
            if let value = parameter["default"]?.stringValue?.filled { text += " = \(value)" }
            lines.append(TaskText.row("parameter", text))
        }
        for (index, step) in workflow.list("steps").enumerated() {
            lines += ["", "\(index + 1). \(step.text("name")) (\(step.text("type")))"]
            for (name, value) in step["config"]?.members ?? [] {
                let text = value.plain.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                if text.count == 1 {
                    lines.append("   \(name): \(text[0])")
                } else {
                    lines += ["   \(name):"] + text.map { $0.isEmpty ? "" : "     " + $0 }
                }
            }
        }
        return lines
    }

    /// A run, for `status`.
    static func run(_ run: JSONValue) -> [String] {
        var lines = [
            TaskText.row("run", run.text("id")), TaskText.row("workflow", run.text("workflow_name")),
            TaskText.row("status", run.text("status")), TaskText.row("created", run.moment("created_at")),
        ]
        for (title, name) in [("started", "started_at"), ("finished", "finished_at")] where run[name] != nil {
            lines.append(TaskText.row(title, run.moment(name)))
        }
        for (name, value) in run["params"]?.members ?? [] {
            lines.append(TaskText.row("parameter", "\(name) = \(short(value.plain))"))
        }
        lines += TaskText.block("error", run["error"])
        for step in run.list("steps") {
            lines += ["", "\(step.text("step_name")) (\(step.text("step_type"))): \(step.text("status"))"]
            if let task = step["task_id"]?.stringValue?.filled { lines.append(TaskText.row("task", task)) }
            lines += TaskText.block("error", step["error"])
            for (name, value) in step["result"]?.members ?? [] where name != "task_id" {
                lines.append(TaskText.row("output", "\(name) = \(short(value.plain))"))
            }
        }
        return lines
    }

    /// How a run ended: its error, and what its tasks and actions left behind.
    static func outcome(_ run: JSONValue) -> [String] {
        var lines = TaskText.block("error", run["error"])
        for step in run.list("steps") {
            if let task = step["task_id"]?.stringValue?.filled {
                lines.append(TaskText.row("task", "\(task)  \(step.text("step_name"))"))
            }
            for (title, name) in [("branch", "branch"), ("request", "pr_url")] {
                if let value = step["result"]?[name]?.stringValue?.filled { lines.append(TaskText.row(title, value)) }
            }
        }
        return lines
    }

    private static func short(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > 200 ? line.prefix(200) + "…" : line
    }
}
