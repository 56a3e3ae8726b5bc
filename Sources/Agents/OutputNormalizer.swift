import Domain

/// Turns what one run of a CLI prints into stream events, and keeps what the task's record needs.
package protocol OutputNormalizer: Sendable {
    /// Reads one line of standard output, without its line feed. The caller bounds its length.
    ///
    /// - Returns: The event of the line; `nil` when it has none.
    mutating func line(_ line: ArraySlice<UInt8>) -> StreamOutput?

    /// Reads what the CLI wrote to standard error, once, when it has ended. The caller bounds its length.
    mutating func finish(standardError: ArraySlice<UInt8>) -> StreamOutput?

    /// What is known so far.
    var summary: AgentSummary { get }
}

extension OutputNormalizer {
    package mutating func line(_ line: [UInt8]) -> StreamOutput? { self.line(line[...]) }
    package mutating func finish(standardError: [UInt8]) -> StreamOutput? { finish(standardError: standardError[...]) }
}

/// The data of one `output` event.
package struct StreamOutput: Sendable, Equatable {
    /// The normalized type, as clients see it.
    package enum Kind: String, Sendable {
        case text, thinking, result, error, system
        case toolUse = "tool_use"
        case toolResult = "tool_result"
    }

    /// `nil` for JSON that fits no rule; `data` is then that JSON itself.
    package var kind: Kind?
    /// One JSON value on one line, valid UTF-8: `{"type":…,"content":…,"cli":…,"raw":…}`; without `content` when it is
    /// empty.
    package var data: [UInt8]

    package init(kind: Kind?, data: [UInt8]) {
        self.kind = kind
        self.data = data
    }

    /// The event of a line that was JSON.
    init(_ kind: Kind, content: [UInt8], cli: StaticString, raw: JSONView) {
        var writer = JSONWriter(reserving: content.count + raw.count + 64)
        writer.beginObject()
        writer.name("type")
        writer.string(kind.rawValue)
        if !content.isEmpty {
            writer.name("content")
            writer.string(utf8: content)
        }
        writer.name("cli")
        writer.string("\(cli)")
        writer.name("raw")
        writer.raw(raw.oneLine)
        writer.endObject()
        self.init(kind: kind, data: writer.bytes)
    }
}

/// What the output of a run came to.
package struct AgentSummary: Sendable, Equatable {
    /// The final text.
    package var result = ""
    package var inputTokens = 0
    package var outputTokens = 0
    /// Conversation the CLI reported; always a valid `SessionID`.
    package var sessionID: String?
    /// Whether the line that closes a run was seen; a CLI that goes on for long after it hangs.
    package var sawResult = false
    /// What the CLI itself said went wrong.
    package var failure: String?

    package init() {}

    /// Adds what a line reported. The numbers are the agent's word: a wrong one must not trap or count down.
    mutating func addTokens(input: Int?, output: Int?) {
        func sum(_ total: Int, _ more: Int?) -> Int {
            let (sum, overflow) = total.addingReportingOverflow(max(0, more ?? 0))
            return overflow ? .max : sum
        }
        inputTokens = sum(inputTokens, input)
        outputTokens = sum(outputTokens, output)
    }
}
