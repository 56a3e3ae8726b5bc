import Domain

/// What a request says, whichever API it came through.
struct ModelRequest {
    /// Name of the conversation, for what has to be counted over repeated requests.
    var conversation: String
    var model: String
    var stream: Bool
    /// The latest prompt a person wrote, without what the CLI put around it.
    var prompt: String
    /// How many prompts the conversation has had; 2 and more after it was resumed.
    var promptNumber: Int
    /// Tool results since that prompt.
    var results: Int
    var lastResult: String
    var workspace: String
    /// Names of the tools on offer, nested ones as `namespace.name`.
    var tools: Set<String>

    /// Fills `{prompt}`, `{number}` and `{result}` in a scenario's text.
    func fill(_ text: String) -> String {
        var filled = ""
        var rest = text[...]
        while let brace = rest.firstIndex(of: "{") {
            filled += rest[..<brace]
            rest = rest[brace...]
            if rest.hasPrefix("{prompt}") {
                filled += prompt
                rest = rest.dropFirst("{prompt}".count)
            } else if rest.hasPrefix("{number}") {
                filled += "\(promptNumber)"
                rest = rest.dropFirst("{number}".count)
            } else if rest.hasPrefix("{result}") {
                filled += lastResult
                rest = rest.dropFirst("{result}".count)
            } else {
                filled.append("{")
                rest = rest.dropFirst()
            }
        }
        return filled + rest
    }

    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(workspace)/\(path)" }

    /// The text after a marker up to the end of its line or the next tag, as in a CLI's description of its surroundings.
    static func value(after marker: String, in text: String) -> String? {
        guard let range = text.firstRange(of: marker) else { return nil }
        let value = text[range.upperBound...].prefix { $0 != "\n" && $0 != "<" }
        return value.isEmpty ? nil : String(value)
    }
}

/// One part of an answer, ready to be written in an API's own form.
enum AnswerPart {
    case thinking(String)
    case text(String)
    case toolCall(name: String, input: ToolInput)
    case flood(bytes: Int)
    case pause(seconds: Double)
    case disconnect
}

/// What a tool is called with.
enum ToolInput {
    case object(JSONValue)
    /// Raw text, for a tool that takes no JSON.
    case text(String)
}

/// An API as the CLI of its vendor uses it.
protocol ModelAPI {
    func parse(_ body: JSONValue, header: (String) -> String?) -> ModelRequest
    /// The tool call that makes the CLI do something; `nil` when it offers no such tool.
    func call(for action: Step.Action, in request: ModelRequest) -> AnswerPart?
    /// Body of an error answer.
    func error(status: Int, message: String) -> JSONValue
    /// Writer of one streamed answer.
    func makeWriter(for request: ModelRequest, id: String) -> any AnswerWriter
}

/// Turns the parts of one answer into server-sent events, or into one JSON value.
protocol AnswerWriter: Sendable {
    mutating func begin() -> [ServerSentEvent]
    /// A whole part, except the two below.
    mutating func part(_ part: AnswerPart) -> [ServerSentEvent]
    /// Text in pieces, for more of it than one event should carry.
    mutating func beginText() -> [ServerSentEvent]
    mutating func textDelta(_ text: String) -> [ServerSentEvent]
    mutating func endText() -> [ServerSentEvent]
    mutating func end() -> [ServerSentEvent]
    /// The whole answer, after `end`.
    var whole: JSONValue { get }
}

/// One event of a stream.
struct ServerSentEvent {
    var name: String
    var data: JSONValue

    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(data)
        return Array("event: \(name)\ndata: ".utf8) + writer.bytes + Array("\n\n".utf8)
    }
}

/// Quotes text for a POSIX shell.
func shellQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
