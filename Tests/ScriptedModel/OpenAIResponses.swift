import Domain

/// The Responses API as Codex uses it.
struct OpenAIResponses: ModelAPI {
    func parse(_ body: JSONValue, header: (String) -> String?) -> ModelRequest {
        var request = ModelRequest(
            conversation: body["prompt_cache_key"]?.stringValue ?? header("session_id") ?? "",
            model: body["model"]?.stringValue ?? "scripted", stream: body["stream"] == .bool(true), prompt: "",
            promptNumber: 0, results: 0, lastResult: "", workspace: "/workspace",
            tools: names(of: body["tools"], prefix: ""))
        if let text = body["input"]?.stringValue {
            request.prompt = text
            request.promptNumber = 1
        }
        for item in body["input"]?.arrayValue ?? [] {
            switch item["type"]?.stringValue {
            // For some models the tools come as the first item instead.
            case "additional_tools": request.tools.formUnion(names(of: item["tools"], prefix: ""))
            case "function_call_output", "custom_tool_call_output", "local_shell_call_output":
                request.results += 1
                request.lastResult = text(of: item["output"])
            case "message", nil:
                guard item["role"] == "user" else { continue }
                let text = text(of: item["content"])
                if let path = ModelRequest.value(after: "<cwd>", in: text) { request.workspace = path }
                if text.hasPrefix("<") { continue }  // the CLI's own remarks
                request.prompt = text
                request.promptNumber += 1
                request.results = 0
            default: break
            }
        }
        return request
    }

    func call(for action: Step.Action, in request: ModelRequest) -> AnswerPart? {
        switch action {
        case .write(let path, let content):
            let file = shellQuoted(request.absolute(path))
            return shell(
                "mkdir -p \"$(dirname \(file))\" && printf %s \(shellQuoted(request.fill(content))) > \(file)",
                in: request)
        case .edit(let path, let old, let new):
            let program = "import sys; p, a, b = sys.argv[1:]; s = open(p).read(); open(p, 'w').write(s.replace(a, b))"
            let arguments = [program, request.absolute(path), old, new].map(shellQuoted).joined(separator: " ")
            return shell("python3 -c \(arguments)", in: request)
        case .read(let path): return shell("cat \(shellQuoted(request.absolute(path)))", in: request)
        case .run(let command): return shell(command, in: request)
        case .tool(let name, let input): return .toolCall(name: name, input: .object(input))
        }
    }

    /// Which tool runs a command depends on the model the CLI thinks it talks to.
    private func shell(_ command: String, in request: ModelRequest) -> AnswerPart? {
        if request.tools.contains("functions.exec") {
            var json: [UInt8] = []
            json.appendJSONString(command.utf8)
            let quoted = String(decoding: json, as: UTF8.self)
            let script = "const result = await tools.exec_command({cmd: \(quoted)});\ntext(result.output);"
            return .toolCall(name: "exec", input: .text(script))
        }
        if request.tools.contains("exec_command") {
            return .toolCall(name: "exec_command", input: .object(["cmd": .string(command)]))
        }
        if request.tools.contains("shell_command") {
            return .toolCall(name: "shell_command", input: .object(["command": .string(command)]))
        }
        if request.tools.contains("shell") {
            return .toolCall(name: "shell", input: .object(["command": ["bash", "-lc", .string(command)]]))
        }
        return nil
    }

    func error(status: Int, message: String) -> JSONValue {
        let type = status == 429 || status == 529 ? "rate_limit_exceeded" : "invalid_request_error"
        return ["error": ["type": .string(type), "code": .int(Int64(status)), "message": .string(message)]]
    }

    func makeWriter(for request: ModelRequest, id: String) -> any AnswerWriter {
        ResponseWriter(id: "resp_\(id)", model: request.model)
    }

    private func names(of tools: JSONValue?, prefix: String) -> Set<String> {
        var names: Set<String> = []
        for tool in tools?.arrayValue ?? [] {
            guard let name = tool["name"]?.stringValue else { continue }
            if tool["type"] == "namespace" {
                names.formUnion(self.names(of: tool["tools"], prefix: name + "."))
            } else {
                names.insert(prefix + name)
            }
        }
        return names
    }

    /// Content is one string, or an array of parts with text.
    private func text(of content: JSONValue?) -> String {
        content?.stringValue
            ?? (content?.arrayValue ?? []).compactMap { $0["text"]?.stringValue }.joined(separator: "\n")
    }
}

/// Writes one response.
struct ResponseWriter: AnswerWriter {
    var id: String
    var model: String
    private var items: [JSONValue] = []
    private var openText = ""

    init(id: String, model: String) {
        self.id = id
        self.model = model
    }

    var whole: JSONValue {
        [
            "id": .string(id), "object": "response", "model": .string(model), "status": "completed",
            "output": .array(items),
            "usage": [
                "input_tokens": 120, "input_tokens_details": ["cached_tokens": 0], "output_tokens": 30,
                "output_tokens_details": ["reasoning_tokens": 0], "total_tokens": 150,
            ],
        ]
    }

    mutating func begin() -> [ServerSentEvent] {
        [
            event(
                "response.created", ["response": ["id": .string(id), "model": .string(model), "status": "in_progress"]])
        ]
    }

    mutating func part(_ part: AnswerPart) -> [ServerSentEvent] {
        switch part {
        case .thinking(let text):
            return item(
                "rs", ["type": "reasoning", "summary": [["type": "summary_text", "text": .string(text)]]])
        case .text(let text): return beginText() + textDelta(text) + endText()
        case .toolCall(let name, .text(let input)):
            return item(
                "ctc",
                [
                    "type": "custom_tool_call", "call_id": call, "name": .string(name), "input": .string(input),
                    "status": "completed",
                ])
        case .toolCall(let name, .object(let input)):
            var json = JSONWriter()
            json.value(input)
            return item(
                "fc",
                [
                    "type": "function_call", "call_id": call, "name": .string(name),
                    "arguments": .string(String(decoding: json.bytes, as: UTF8.self)), "status": "completed",
                ])
        case .flood, .pause, .disconnect: return []
        }
    }

    mutating func beginText() -> [ServerSentEvent] {
        openText = ""
        let item: JSONValue = ["type": "message", "id": textID, "role": "assistant", "content": []]
        return [event("response.output_item.added", ["output_index": index, "item": item])]
    }

    mutating func textDelta(_ text: String) -> [ServerSentEvent] {
        openText += text
        return [
            event(
                "response.output_text.delta",
                ["item_id": textID, "output_index": index, "content_index": 0, "delta": .string(text)])
        ]
    }

    mutating func endText() -> [ServerSentEvent] {
        let item: JSONValue = [
            "type": "message", "id": textID, "role": "assistant", "status": "completed",
            "content": [["type": "output_text", "text": .string(openText), "annotations": []]],
        ]
        let done = event("response.output_item.done", ["output_index": index, "item": item])
        items.append(item)
        return [done]
    }

    mutating func end() -> [ServerSentEvent] { [event("response.completed", ["response": whole])] }

    private var index: JSONValue { .int(Int64(items.count)) }
    private var textID: JSONValue { .string("msg_\(id)_\(items.count)") }
    private var call: JSONValue { .string("call_\(id)_\(items.count)") }

    private mutating func item(_ prefix: String, _ members: [String: JSONValue]) -> [ServerSentEvent] {
        let item = JSONValue.object(members.merging(["id": .string("\(prefix)_\(id)_\(items.count)")]) { $1 })
        let events = [
            event("response.output_item.added", ["output_index": index, "item": item]),
            event("response.output_item.done", ["output_index": index, "item": item]),
        ]
        items.append(item)
        return events
    }

    private func event(_ name: String, _ members: [String: JSONValue]) -> ServerSentEvent {
        ServerSentEvent(name: name, data: .object(members.merging(["type": .string(name)]) { $1 }))
    }
}
