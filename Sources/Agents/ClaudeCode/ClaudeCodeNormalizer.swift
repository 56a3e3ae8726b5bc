import Domain

/// Reads `--output-format stream-json`.
struct ClaudeCodeNormalizer: OutputNormalizer {
    private(set) var summary = AgentSummary()
    /// Text of the last assistant message that had any; stands in for an empty result.
    private var lastText = ""
    private var resultText = ""

    mutating func line(_ line: ArraySlice<UInt8>) -> StreamOutput? {
        guard let json = JSONView(line: line) else { return nil }
        let type = json["type"]
        guard json.isObject, type?.text != nil || type == nil else {
            return StreamOutput(kind: nil, data: Array(json.oneLine))
        }
        if let id = json["session_id"]?.string, SessionID.isValid(id) { summary.sessionID = id }
        let (kind, content): (StreamOutput.Kind, [UInt8])
        if type?.matches("assistant") == true {
            let message = Message(json["message"]?["content"])
            if let text = message.text.nonEmpty { remember(text: text) }
            (kind, content) = (message.kind, message.content)
        } else if type?.matches("user") == true {
            // A tool's result comes back as the user's turn.
            let isResult = Message(json["message"]?["content"]).hasToolResult
            (kind, content) = (isResult ? .toolResult : .system, [])
        } else if type?.matches("result") == true {
            (kind, content) = result(json)
        } else {
            (kind, content) = (.system, [])
        }
        return StreamOutput(kind, content: content, cli: "claude-code", raw: json)
    }

    mutating func finish(standardError: ArraySlice<UInt8>) -> StreamOutput? { nil }

    private mutating func remember(text: [UInt8]) {
        lastText = String(decoding: text, as: UTF8.self)
        if resultText.isEmpty { summary.result = lastText }
    }

    private mutating func result(_ json: JSONView) -> (StreamOutput.Kind, [UInt8]) {
        let text = json["result"]?.text ?? []
        let subtype = json["subtype"]
        resultText = String(decoding: text, as: UTF8.self)
        summary.result = resultText.nonEmpty ?? lastText
        summary.sawResult = true
        let usage = json["usage"]
        summary.addTokens(input: usage?["input_tokens"]?.integer, output: usage?["output_tokens"]?.integer)
        summary.failure = nil
        if json["is_error"]?.isTrue == true {
            let errors = json["errors"]?.elements?.compactMap(\.string).joined(separator: "; ")
            summary.failure = resultText.nonEmpty ?? errors?.nonEmpty ?? subtype?.string
        }
        return (subtype?.matches("error_during_execution") == true ? .error : .result, text)
    }

    /// The blocks of a message, as far as they matter here.
    private struct Message {
        /// Text and thinking, in order.
        private(set) var content: [UInt8] = []
        /// Text alone.
        private(set) var text: [UInt8] = []
        private(set) var hasToolUse = false
        private(set) var hasToolResult = false
        private(set) var hasThinking = false
        private(set) var hasText = false

        init(_ blocks: JSONView?) {
            for block in blocks?.elements ?? [] {
                guard let type = block["type"] else { continue }
                if type.matches("text") {
                    hasText = true
                    content += block["text"]?.text ?? []
                    text += block["text"]?.text ?? []
                } else if type.matches("thinking") {
                    hasThinking = true
                    content += block["thinking"]?.text ?? block["text"]?.text ?? []
                } else if type.matches("tool_use") {
                    hasToolUse = true
                } else if type.matches("tool_result") {
                    hasToolResult = true
                }
            }
        }

        var kind: StreamOutput.Kind {
            if hasToolUse { return .toolUse }
            if hasToolResult { return .toolResult }
            if hasThinking { return .thinking }
            return hasText ? .text : .system
        }
    }
}

extension [UInt8] {
    var nonEmpty: [UInt8]? { isEmpty ? nil : self }
}
