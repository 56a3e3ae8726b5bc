import Domain

/// Follows a workflow's run: its steps.
struct RunFollower: EventFollower {
    static let resource = Resource.runs
    static let names = (thing: "run", command: "workflow")

    func show(_ event: JSONValue) {
        let detail = event["data"] ?? .null
        let step = detail.text("step")
        switch event["event"]?.stringValue {
        case "step_started":
            let task = detail["task_id"]?.stringValue?.filled.map { "  task \($0)" } ?? ""
            put("→ \(step)  \(detail.text("type"))\(task)", .cyan)
        case "step_completed": put("✓ \(step)", .green)
        case "step_failed": put("✗ \(step)  \(detail.text("error"))", .red)
        case "step_canceled": put("✗ \(step)  canceled", .red)
        default:
            let words = detail.members.map { "\($0.key)=\($0.value.plain)" }
            let name = event.text("event").replacing("_", with: " ")
            put("· " + ([name] + words).joined(separator: "  "), .faint)
        }
    }

    private func put(_ text: String, _ style: Terminal.Style) {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        print(Terminal.styled(SafeText.start(of: line.utf8, limit: 4096), style))
    }

    func untold(_ run: JSONValue) -> String? { nil }

    func outcome(_ run: JSONValue) -> [String] { WorkflowText.outcome(run) }

    func end(_ run: JSONValue) -> TaskEnd {
        let error = run["error"]?.stringValue ?? ""
        switch run["status"]?.stringValue {
        case "completed": return .completed
        case "canceled": return .cancelled
        // The run's own limit: an error of one of its tasks has the step's name before it.
        case "failed" where !error.hasPrefix("step '") && error.contains("timed out after "): return .timedOut
        default: return .failed
        }
    }
}
