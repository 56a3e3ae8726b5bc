import Domain

/// What an agent's tools did, in lines for people, out of `output` events of whichever CLI.
enum ToolText {
    /// The calls of a `tool_use` event.
    static func calls(_ event: JSONValue) -> [String] {
        // A message of Claude Code may hold several, and text of its own beside them.
        let blocks = (event["raw"]?["message"]?["content"]?.arrayValue ?? []).filter { $0["type"] == "tool_use" }
        if !blocks.isEmpty { return blocks.map { "\($0.text("name")) \($0["input"]?.plain ?? "")" } }
        if let content = event["content"]?.stringValue, !content.isEmpty { return [content] }
        return [event["raw"]?.plain ?? ""]
    }

    /// What Claude Code says in the message that calls a tool.
    static func saidBeside(_ event: JSONValue) -> String {
        event["raw"]?["message"] == nil ? "" : event["content"]?.stringValue ?? ""
    }

    /// The call that Codex says has begun: its `tool_result` comes with the item's end.
    static func begun(_ event: JSONValue) -> String? {
        guard event["cli"] == "codex", let raw = event["raw"], raw["type"] == "item.started" else { return nil }
        return raw["item"].flatMap(call)
    }

    /// What came of a `tool_result` event.
    static func result(_ event: JSONValue) -> String {
        if let item = event["raw"]?["item"], let output = item["aggregated_output"]?.stringValue {
            let failed = item["exit_code"]?.intValue.flatMap { $0 == 0 ? nil : " (exit \($0))" } ?? ""
            return output + failed
        }
        if let content = event["content"]?.stringValue, !content.isEmpty { return content }
        let blocks = (event["raw"]?["message"]?["content"]?.arrayValue ?? []).filter { $0["type"] == "tool_result" }
        return blocks.map { block in
            block["content"]?.stringValue
                ?? block.list("content").compactMap { $0["text"]?.stringValue }.joined(separator: " ")
        }.joined(separator: " ")
    }

    /// What a run cost, in US dollars, where the CLI's last line tells; Codex says nothing of it.
    static func cost(_ event: JSONValue) -> Double? {
        guard event["cli"] == "claude-code", let cost = event["raw"]?["total_cost_usd"]?.number, cost.isFinite,
            cost >= 0
        else { return nil }
        return cost
    }

    private static func call(_ item: JSONValue) -> String? {
        switch item["type"]?.stringValue {
        case "command_execution": item["command"]?.stringValue
        case "mcp_tool_call": "\(item.text("server")).\(item.text("tool")) \(item["arguments"]?.plain ?? "")"
        case "web_search": "search \(item["query"]?.plain ?? "")"
        default: nil
        }
    }
}
