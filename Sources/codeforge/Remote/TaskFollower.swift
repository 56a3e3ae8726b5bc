import Domain

/// Follows a task: its progress, and what its agent says and does.
final class TaskFollower: EventFollower {
    static let resource = Resource.tasks
    static let names = (thing: "task", command: "task")

    /// The end of what was shown of the agent's text, so that the result is not told twice.
    private var shown = ""
    /// What the CLI says the run cost, in US dollars.
    private var cost: Double?

    private static let shownBytes = 65_536

    // MARK: Events

    func show(_ event: JSONValue) {
        let detail = event["data"] ?? .null
        switch event["type"]?.stringValue {
        case "stream": output(detail)
        case "result": break  // the record says it
        default: progress(event.text("event"), detail)
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
        say(text)
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

    func untold(_ task: JSONValue) -> String? {
        let result = task["result"]?.stringValue ?? ""
        let isTold = TaskFollower.trimmed(shown).hasSuffix(TaskFollower.trimmed(result))
        return task["status"] == "failed" || isTold ? nil : result
    }

    func outcome(_ task: JSONValue) -> [String] {
        TaskText.outcome(task, cost: cost) + TaskText.review(task["review_result"])
    }

    /// The words are those the service itself writes.
    func end(_ task: JSONValue) -> TaskEnd {
        guard task["status"] == "failed" else { return .completed }
        let error = task["error"]?.stringValue ?? ""
        if error == "canceled by user" || error == "review canceled by user" { return .cancelled }
        return ["task", "review"].contains { error.hasPrefix("\($0) timed out after ") } ? .timedOut : .failed
    }

    private static func trimmed(_ text: String) -> Substring {
        var rest = text[...]
        while rest.last?.isWhitespace == true { rest.removeLast() }
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        return rest
    }
}
