import ArgumentParser
import Client
import Domain
import FoundationEssentials

/// Shows a workflow run's events until it ends.
///
/// What steps fetched and tasks said is in them: to people it is shown without what could steer a terminal.
struct RunFollower {
    private let client: WorkflowClient
    private let id: String
    private let isJSON: Bool

    init(_ client: WorkflowClient, _ id: String, json: Bool) {
        (self.client, self.id, isJSON) = (client, id, json)
    }

    /// - Throws: `ExitCode` as the run ended; nothing when it completed.
    func follow(after: String? = nil) async throws {
        let interrupts = Interrupts(
            "run", cancel: "codeforge workflow cancel \(id)", follow: "codeforge workflow stream", id: id)
        defer { interrupts.stop() }
        try await client.api.follow(WorkflowClient.runPath(id, "/stream"), after: after) { event in
            interrupts.saw(event.id)
            show(event)
            flushOutput()
            return true
        }
        let run = try await client.run(id)
        let end = TaskEnd(run: run)
        if !isJSON { summary(of: run, end) }
        flushOutput()
        if end != .completed { throw ExitCode(end.rawValue) }
    }

    private func show(_ event: ServerEvent) {
        // Ours: it is JSON.
        guard let data = try? JSONDecoder().decode(JSONValue.self, from: Data(event.data.utf8)) else { return }
        if isJSON { return printJSON(event.line(data)) }
        guard event.name == nil else { return }
        let detail = data["data"] ?? .null
        let step = detail.text("step")
        switch data["event"]?.stringValue {
        case "step_started":
            let task = detail["task_id"]?.stringValue?.filled.map { "  task \($0)" } ?? ""
            put("→ \(step)  \(detail.text("type"))\(task)", .cyan)
        case "step_completed": put("✓ \(step)", .green)
        case "step_failed": put("✗ \(step)  \(detail.text("error"))", .red)
        case "step_canceled": put("✗ \(step)  canceled", .red)
        default:
            let words = detail.members.map { "\($0.key)=\($0.value.plain)" }
            let name = data.text("event").replacing("_", with: " ")
            put(([name] + words).joined(separator: "  "), .faint, mark: "· ")
        }
    }

    private func put(_ text: String, _ style: Terminal.Style, mark: String = "") {
        let line = (mark + text).split(whereSeparator: \.isNewline).joined(separator: " ")
        print(Terminal.styled(SafeText.start(of: line.utf8, limit: 4096), style))
    }

    private func summary(of run: JSONValue, _ end: TaskEnd) {
        let isGood = end == .completed
        print("")
        print(Terminal.styled("\(isGood ? "✓" : "✗") \(run.text("status"))", isGood ? .green : .red))
        let lines = WorkflowText.outcome(run)
        if !lines.isEmpty { say(lines.joined(separator: "\n")) }
        complain("run \(id)")
    }
}

extension TaskEnd {
    /// - Parameter run: A workflow run's record.
    init(run: JSONValue) {
        let error = run["error"]?.stringValue ?? ""
        switch run["status"]?.stringValue {
        case "completed": self = .completed
        case "canceled": self = .cancelled
        // The run's own limit: an error of one of its tasks has the step's name before it.
        case "failed" where !error.hasPrefix("step '") && error.contains("timed out after "): self = .timedOut
        default: self = .failed
        }
    }
}
