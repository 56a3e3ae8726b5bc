import Domain

/// The Messages API as Claude Code uses it.
struct AnthropicMessages: ModelAPI {
    func parse(_ body: JSONValue, header: (String) -> String?) -> ModelRequest {
        var request = ModelRequest(
            conversation: header("x-claude-code-session-id") ?? body["metadata"]?["user_id"]?.stringValue ?? "",
            model: body["model"]?.stringValue ?? "scripted", stream: body["stream"] == .bool(true), prompt: "",
            promptNumber: 0, results: 0, lastResult: "", workspace: "/workspace",
            tools: Set((body["tools"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }))
        for message in body["messages"]?.arrayValue ?? [] where message["role"] == "user" {
            let blocks = blocks(of: message["content"])
            let results = blocks.filter { $0["type"] == "tool_result" }
            let texts = blocks.compactMap { $0["text"]?.stringValue }
            for text in texts {
                if let path = ModelRequest.value(after: "Primary working directory: ", in: text) {
                    request.workspace = path
                }
            }
            // The CLI's own remarks come as text of the user too.
            let prompt = texts.filter { !$0.hasPrefix("<system-reminder>") }
            if results.isEmpty, !prompt.isEmpty {
                request.prompt = prompt.joined(separator: "\n")
                request.promptNumber += 1
                request.results = 0
            }
            request.results += results.count
            if let last = results.last {
                request.lastResult = self.blocks(of: last["content"]).compactMap { $0["text"]?.stringValue }.joined()
            }
        }
        return request
    }

    func call(for action: Step.Action, in request: ModelRequest) -> AnswerPart? {
        let (name, input): (String, JSONValue)
        switch action {
        case .write(let path, let content):
            (name, input) = (
                "Write", ["file_path": .string(request.absolute(path)), "content": .string(request.fill(content))]
            )
        case .edit(let path, let old, let new):
            (name, input) = (
                "Edit",
                [
                    "file_path": .string(request.absolute(path)), "old_string": .string(old),
                    "new_string": .string(new),
                ]
            )
        case .read(let path): (name, input) = ("Read", ["file_path": .string(request.absolute(path))])
        case .run(let command):
            (name, input) = ("Bash", ["command": .string(command), "description": "Run a scripted command"])
        case .tool(let tool, let value): (name, input) = (tool, value)
        }
        return request.tools.contains(name) ? .toolCall(name: name, input: .object(input)) : nil
    }

    func error(status: Int, message: String) -> JSONValue {
        let type =
            switch status {
            case 401: "authentication_error"
            case 429: "rate_limit_error"
            case 529: "overloaded_error"
            case 400..<500: "invalid_request_error"
            default: "api_error"
            }
        return ["type": "error", "error": ["type": .string(type), "message": .string(message)]]
    }

    func makeWriter(for request: ModelRequest, id: String) -> any AnswerWriter {
        MessageWriter(id: "msg_\(id)", model: request.model)
    }

    /// Content is an array of blocks, or one string.
    private func blocks(of content: JSONValue?) -> [JSONValue] {
        if let text = content?.stringValue { return [["type": "text", "text": .string(text)]] }
        return content?.arrayValue ?? []
    }
}

/// Writes one message.
struct MessageWriter: AnswerWriter {
    var id: String
    var model: String
    private var blocks: [JSONValue] = []
    private var openText = ""
    private var called = false

    static let inputTokens: Int64 = 120
    static let outputTokens: Int64 = 30

    init(id: String, model: String) {
        self.id = id
        self.model = model
    }

    var whole: JSONValue {
        message(
            content: .array(blocks), stopReason: called ? "tool_use" : "end_turn", output: MessageWriter.outputTokens)
    }

    mutating func begin() -> [ServerSentEvent] {
        [event("message_start", ["message": message(content: [], stopReason: nil, output: 1)])]
    }

    mutating func part(_ part: AnswerPart) -> [ServerSentEvent] {
        switch part {
        case .thinking(let text):
            return block(
                ["type": "thinking", "thinking": .string(text), "signature": "scripted"],
                start: ["type": "thinking", "thinking": "", "signature": ""],
                deltas: [
                    ["type": "thinking_delta", "thinking": .string(text)],
                    ["type": "signature_delta", "signature": "scripted"],
                ])
        case .text(let text): return beginText() + textDelta(text) + endText()
        case .toolCall(let name, let input):
            called = true
            guard case .object(let input) = input else { return [] }
            let call: JSONValue = .string("toolu_\(id.dropFirst(4))_\(blocks.count)")
            var json = JSONWriter()
            json.value(input)
            return block(
                ["type": "tool_use", "id": call, "name": .string(name), "input": input],
                start: ["type": "tool_use", "id": call, "name": .string(name), "input": [:]],
                deltas: [
                    ["type": "input_json_delta", "partial_json": .string(String(decoding: json.bytes, as: UTF8.self))]
                ])
        case .flood, .pause, .disconnect: return []
        }
    }

    mutating func beginText() -> [ServerSentEvent] {
        openText = ""
        return [
            event("content_block_start", ["index": index, "content_block": ["type": "text", "text": ""]])
        ]
    }

    mutating func textDelta(_ text: String) -> [ServerSentEvent] {
        openText += text
        return [
            event("content_block_delta", ["index": index, "delta": ["type": "text_delta", "text": .string(text)]])
        ]
    }

    mutating func endText() -> [ServerSentEvent] {
        let stop = event("content_block_stop", ["index": index])
        blocks.append(["type": "text", "text": .string(openText)])
        return [stop]
    }

    mutating func end() -> [ServerSentEvent] {
        [
            event(
                "message_delta",
                [
                    "delta": ["stop_reason": .string(called ? "tool_use" : "end_turn"), "stop_sequence": nil],
                    "usage": ["output_tokens": .int(MessageWriter.outputTokens)],
                ]), event("message_stop", [:]),
        ]
    }

    private var index: JSONValue { .int(Int64(blocks.count)) }

    private mutating func block(_ block: JSONValue, start: JSONValue, deltas: [JSONValue]) -> [ServerSentEvent] {
        var events = [event("content_block_start", ["index": index, "content_block": start])]
        events += deltas.map { event("content_block_delta", ["index": index, "delta": $0]) }
        events.append(event("content_block_stop", ["index": index]))
        blocks.append(block)
        return events
    }

    private func message(content: JSONValue, stopReason: String?, output: Int64) -> JSONValue {
        [
            "id": .string(id), "type": "message", "role": "assistant", "model": .string(model), "content": content,
            "stop_reason": stopReason.map { .string($0) } ?? nil, "stop_sequence": nil,
            "usage": ["input_tokens": .int(MessageWriter.inputTokens), "output_tokens": .int(output)],
        ]
    }

    /// Each event repeats its name as `type`.
    private func event(_ name: String, _ members: [String: JSONValue]) -> ServerSentEvent {
        ServerSentEvent(name: name, data: .object(members.merging(["type": .string(name)]) { $1 }))
    }
}
