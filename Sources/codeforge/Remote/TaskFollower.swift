import ArgumentParser
import Client
import Domain
import FoundationEssentials

/// Shows a task's events until its run ends.
///
/// Everything in them may be hostile: to people it is shown without what could steer a terminal.
final class TaskFollower {
    private let client: TaskClient
    private let id: String
    private let isJSON: Bool
    /// The end of what was shown of the agent's text, so that the result is not told twice.
    private var shown = ""
    /// What the CLI says the run cost, in US dollars.
    private var cost: Double?

    private static let shownBytes = 65_536

    init(_ client: TaskClient, _ id: String, json: Bool) {
        (self.client, self.id, isJSON) = (client, id, json)
    }

    /// - Throws: `ExitCode` as the task ended; nothing when it completed.
    func follow(after: String? = nil) async throws {
        let interrupts = Interrupts(
            "task", cancel: "codeforge task cancel \(id)", follow: "codeforge task stream", id: id)
        defer { interrupts.stop() }
        try await client.api.follow(TaskClient.path(id, "/stream"), after: after) { event in
            interrupts.saw(event.id)
            show(event)
            flushOutput()
            return true
        }
        let task = try await client.task(id)
        if !isJSON { summary(of: task) }
        flushOutput()
        let end = TaskEnd(task)
        if end != .completed { throw ExitCode(end.rawValue) }
    }

    /// The id of the last event of a task whose run has ended; `nil` when none is kept.
    static func lastEvent(_ client: TaskClient, _ id: String) async throws(CodeForgeError) -> String? {
        let status = try await client.task(id)["status"]?.stringValue.flatMap { TaskStatus(rawValue: $0) }
        guard status?.isFinished == true else { return nil }
        var last: String?
        try await client.api.follow(TaskClient.path(id, "/stream")) { event in
            if let id = event.id { last = id }
            return true
        }
        return last
    }

    // MARK: Events

    private func show(_ event: ServerEvent) {
        // Ours: it is JSON.
        guard let data = try? JSONDecoder().decode(JSONValue.self, from: Data(event.data.utf8)) else { return }
        if isJSON { return printJSON(event.line(data)) }
        guard event.name == nil else { return }
        let detail = data["data"] ?? .null
        switch data["type"]?.stringValue {
        case "stream": output(detail)
        case "result": break  // the record says it
        default: progress(data.text("event"), detail)
        }
    }

    private func progress(_ name: String, _ detail: JSONValue) {
        let words = detail.members.map { $0.key == "repo_url" ? $0.value.plain : "\($0.key)=\($0.value.plain)" }
        put(([name.replacing("_", with: " ")] + words).joined(separator: "  "), "·", .faint)
    }

    private func output(_ detail: JSONValue) {
        let text = detail["content"]?.stringValue ?? ""
        switch detail["type"]?.stringValue {
        case "text": said(text)
        case "thinking": put(text, "…", .faint)
        case "tool_use":
            let beside = ToolText.saidBeside(detail)
            if !beside.isEmpty { said(beside) }
            for call in ToolText.calls(detail) { put(call, "→", .cyan) }
        case "tool_result": put(ToolText.result(detail), "←", .faint)
        case "error": put(text, "!", .red, isWhole: true)
        case "system": if let call = ToolText.begun(detail) { put(call, "→", .cyan) }
        case "result": cost = ToolText.cost(detail) ?? cost
        default: put(detail.plain, "·", .faint)
        }
    }

    private func said(_ text: String) {
        shown += text + "\n"
        if shown.utf8.count > 4 * TaskFollower.shownBytes { shown = String(shown.suffix(TaskFollower.shownBytes)) }
        print(SafeText.lines(text.utf8))
    }

    /// One line, cut to the terminal.
    private func put(_ text: String, _ mark: String, _ style: Terminal.Style, isWhole: Bool = false) {
        let lines = text.split(whereSeparator: \.isNewline)
        for line in isWhole ? lines : [lines.joined(separator: " ")[...]] {
            let safe = SafeText.start(of: line.utf8, limit: 4096)
            let width = isWhole ? 4096 : (Terminal.size?.width ?? 200) - 2
            let cut = safe.count > width ? safe.prefix(max(0, width - 1)) + "…" : safe[...]
            print(Terminal.styled("\(mark) \(cut)", style))
        }
    }

    // MARK: The end

    private func summary(of task: JSONValue) {
        let result = task["result"]?.stringValue ?? ""
        if task["status"] != "failed", !TaskFollower.trimmed(shown).hasSuffix(TaskFollower.trimmed(result)) {
            print(SafeText.lines(result.utf8))
        }
        print("")
        let end = TaskEnd(task)
        print(
            Terminal.styled(
                "\(end == .completed ? "✓" : "✗") \(task.text("status"))", end == .completed ? .green : .red))
        let lines = TaskText.outcome(task, cost: cost) + TaskText.review(task["review_result"])
        if !lines.isEmpty { print(SafeText.lines(lines.joined(separator: "\n").utf8)) }
        complain("task \(id)")
    }

    private static func trimmed(_ text: String) -> Substring {
        var rest = text[...]
        while rest.last?.isWhitespace == true { rest.removeLast() }
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        return rest
    }
}
