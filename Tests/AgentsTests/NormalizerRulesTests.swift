import Domain
import Testing

@testable import Agents

/// Each row of the tables that map a CLI's line to an event.
@Suite struct NormalizerRulesTests {
    @Test(arguments: [
        // Precedence inside one message: tool_use, tool_result, thinking, text.
        (#"[{"type":"text","text":"a"},{"type":"tool_use","name":"Bash"}]"#, "tool_use", "a"),
        (#"[{"type":"thinking","thinking":"t"},{"type":"tool_use"},{"type":"tool_result"}]"#, "tool_use", "t"),
        (#"[{"type":"thinking","thinking":"t"},{"type":"tool_result"}]"#, "tool_result", "t"),
        (
            #"[{"type":"text","text":"a"},{"type":"thinking","thinking":"b"},{"type":"text","text":"c"}]"#, "thinking",
            "abc"
        ),
        (#"[{"type":"thinking","text":"old form"}]"#, "thinking", "old form"),
        (#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#, "text", "ab"),
        (#"[{"type":"text","text":""}]"#, "text", nil),
        (#"[]"#, "system", nil),
        (#"[{"type":"image"},{"no":"type"},7]"#, "system", nil),
        (#""just text""#, "system", nil),
        (#"null"#, "system", nil),
    ])
    func claudeAssistantBlocks(content: String, kind: String, text: String?) throws {
        let line = #"{"type":"assistant","message":{"content":\#(content)}}"#
        try expect(ClaudeCodeNormalizer(), line, kind: kind, content: text, cli: "claude-code")
    }

    @Test(arguments: [
        (#"{"type":"result","subtype":"success","result":"done"}"#, "result", "done"),
        (#"{"type":"result","subtype":"error_max_turns"}"#, "result", nil),
        (#"{"type":"result","subtype":"error_during_execution","result":"broke"}"#, "error", "broke"),
        (#"{"type":"result","result":7}"#, "result", nil),
        (#"{"type":"user","message":{"content":[{"type":"tool_result","content":"x"}]}}"#, "tool_result", nil),
        (#"{"type":"user","message":{"content":[{"type":"text","text":"x"}]}}"#, "system", nil),
        (#"{"type":"user","message":{"content":"x"}}"#, "system", nil),
        (#"{"type":"system","subtype":"init"}"#, "system", nil),
        (#"{"type":"rate_limit_event"}"#, "system", nil),
        (#"{"no":"type"}"#, "system", nil),
        (#"{"type":"assistant"}"#, "system", nil),
        (#"{"\u0074ype":"result","result":"\u0064one"}"#, "result", "done"),
        (#"{"type":"system","type":"result","result":"the last name counts"}"#, "result", "the last name counts"),
    ])
    func claudeLines(line: String, kind: String, content: String?) throws {
        try expect(ClaudeCodeNormalizer(), line, kind: kind, content: content, cli: "claude-code")
    }

    @Test(arguments: [
        (#"{"type":"item.completed","item":{"type":"agent_message","text":"hi"}}"#, "text", "hi"),
        (#"{"type":"item.completed","item":{"type":"function_call","name":"f"}}"#, "tool_use", "f"),
        (
            #"{"type":"item.completed","item":{"type":"function_call","name":"f","arguments":"{}"}}"#, "tool_use",
            "f({})"
        ),
        (#"{"type":"item.completed","item":{"type":"function_call_output","output":"o"}}"#, "tool_result", "o"),
        (#"{"type":"item.completed","item":{"type":"command_execution","command":"ls"}}"#, "tool_result", "ls"),
        (
            #"{"type":"item.completed","item":{"type":"command_execution","command":"ls","exit_code":2}}"#,
            "tool_result", "ls (exit 2)"
        ),
        (
            #"{"type":"item.completed","item":{"type":"command_execution","command":"ls","exit_code":null}}"#,
            "tool_result", "ls"
        ),
        (#"{"type":"item.completed","item":{"type":"reasoning","text":"r"}}"#, "system", nil),
        (#"{"type":"item.completed","item":7}"#, "system", nil),
        (#"{"type":"item.completed"}"#, "system", nil),
        (#"{"type":"item.started","item":{"type":"agent_message","text":"hi"}}"#, "system", nil),
        (#"{"type":"turn.completed","usage":{"input_tokens":1}}"#, "result", nil),
        (#"{"type":"turn.failed","error":{"message":"m"}}"#, "system", nil),
        (#"{"type":"error","message":"m"}"#, "system", nil),
        (#"{"type":"thread.started","thread_id":"t"}"#, "system", nil),
        (#"{}"#, "system", nil),
    ])
    func codexLines(line: String, kind: String, content: String?) throws {
        try expect(CodexNormalizer(), line, kind: kind, content: content, cli: "codex")
    }

    @Test(arguments: [#"7"#, #""text""#, #"["a"]"#, #"null"#, #"{"type":7}"#, #"{"type":null,"result":"x"}"#])
    func jsonThatFitsNoRuleIsForwardedAsItIs(line: String) throws {
        for var normalizer in [ClaudeCodeNormalizer(), CodexNormalizer()] as [any OutputNormalizer] {
            let event = normalizer.line(Array(line.utf8))
            let output = try #require(event)
            #expect(output.kind == nil)
            #expect(String(decoding: output.data, as: UTF8.self) == line)
        }
    }

    @Test(arguments: [
        "", " ", "plain text", "{", "{]", #"{"a":1} x"#, #"{"a":01}"#, "{'a':1}", "NaN", #"{"a":1,}"#, "\u{FEFF}{}",
    ])
    func whatIsNotJSONIsDropped(line: String) {
        for var normalizer in [ClaudeCodeNormalizer(), CodexNormalizer()] as [any OutputNormalizer] {
            let event = normalizer.line(Array(line.utf8))
            #expect(event == nil)
        }
    }

    @Test func shellLinesAreText() throws {
        try expect(ShellNormalizer(), "hello", kind: "text", content: "hello", cli: "shell", raw: #""hello""#)
        try expect(ShellNormalizer(), "", kind: "text", content: nil, cli: "shell", raw: #""""#)
        try expect(
            ShellNormalizer(), "a\"b\\c\t\u{1B}[31m\r", kind: "text", content: "a\"b\\c\t\u{1B}[31m\r", cli: "shell",
            raw: #""a\"b\\c\t\u001b[31m\r""#)
    }

    /// The whole event, byte for byte.
    private func expect(
        _ normalizer: some OutputNormalizer, _ line: String, kind: String, content: String?, cli: String,
        raw: String? = nil
    ) throws {
        var normalizer = normalizer
        let event = normalizer.line(Array(line.utf8))
        let output = try #require(event)
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("type")
        writer.string(kind)
        if let content {
            writer.name("content")
            writer.string(content)
        }
        writer.name("cli")
        writer.string(cli)
        writer.name("raw")
        writer.raw((raw ?? line).utf8)
        writer.endObject()
        #expect(output.kind?.rawValue == kind)
        #expect(String(decoding: output.data, as: UTF8.self) == String(decoding: writer.bytes, as: UTF8.self))
    }
}
