import Domain

/// Reads `codex exec --json`.
///
/// Codex reports the tokens of the whole conversation: after a resume the earlier runs are in them, and in the summary.
/// Who knows those takes them off (`AgentAdapter.countsWholeConversation`).
struct CodexNormalizer: OutputNormalizer {
    private(set) var summary = AgentSummary()

    mutating func line(_ line: ArraySlice<UInt8>) -> StreamOutput? {
        guard let json = JSONView(line: line) else { return nil }
        let type = json["type"]
        guard json.isObject, type?.text != nil || type == nil else {
            return StreamOutput(kind: nil, data: Array(json.oneLine))
        }
        var (kind, content): (StreamOutput.Kind, [UInt8]) = (.system, [])
        if type?.matches("item.completed") == true {
            (kind, content) = item(json["item"])
        } else if type?.matches("turn.completed") == true {
            kind = .result
            summary.sawResult = true
            let usage = json["usage"]
            summary.addTokens(input: usage?["input_tokens"]?.integer, output: usage?["output_tokens"]?.integer)
        } else if type?.matches("turn.failed") == true {
            summary.sawResult = true
            summary.failure = json["error"]?["message"]?.string ?? summary.failure
        } else if type?.matches("error") == true {
            summary.failure = json["message"]?.string ?? summary.failure
        } else if type?.matches("thread.started") == true {
            if let id = json["thread_id"]?.string, SessionID.isValid(id) { summary.sessionID = id }
        }
        return StreamOutput(kind, content: content, cli: "codex", raw: json)
    }

    mutating func finish(standardError: ArraySlice<UInt8>) -> StreamOutput? { nil }

    private mutating func item(_ item: JSONView?) -> (StreamOutput.Kind, [UInt8]) {
        guard let item, let type = item["type"] else { return (.system, []) }
        if type.matches("agent_message") {
            let text = item["text"]?.text ?? []
            summary.result = String(decoding: text, as: UTF8.self)
            return (.text, text)
        }
        if type.matches("function_call") {
            var content = item["name"]?.text ?? []
            if let arguments = item["arguments"]?.text?.nonEmpty {
                content += Array("(".utf8) + arguments + Array(")".utf8)
            }
            return (.toolUse, content)
        }
        if type.matches("function_call_output") { return (.toolResult, item["output"]?.text ?? []) }
        if type.matches("command_execution") {
            var content = item["command"]?.text ?? []
            if let code = item["exit_code"]?.integer { content += Array(" (exit \(code))".utf8) }
            return (.toolResult, content)
        }
        return (.system, [])
    }
}
