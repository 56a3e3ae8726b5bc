import Testing

@testable import Agents

@Suite struct SummaryTests {
    @Test func claudeTakesTheLastResult() {
        let summary = claude(
            #"{"type":"assistant","message":{"content":[{"type":"text","text":"talk"}]}}"#,
            #"{"type":"result","result":"first","usage":{"input_tokens":3,"output_tokens":4}}"#,
            #"{"type":"result","result":"second","usage":{"input_tokens":10,"output_tokens":20,"cache_read_input_tokens":9}}"#
        )
        #expect(summary.result == "second")
        #expect(summary.inputTokens == 13)
        #expect(summary.outputTokens == 24)
        #expect(summary.sawResult)
        #expect(summary.failure == nil)
    }

    @Test func claudeFallsBackToTheLastMessageWithText() {
        let summary = claude(
            #"{"type":"assistant","message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}"#,
            #"{"type":"assistant","message":{"content":[{"type":"thinking","thinking":"not this"}]}}"#,
            #"{"type":"result","result":""}"#)
        #expect(summary.result == "ab")
        #expect(claude(#"{"type":"assistant","message":{"content":[{"type":"text","text":"x"}]}}"#).result == "x")
        #expect(claude(#"{"type":"assistant","message":{"content":[{"type":"text","text":"x"}]}}"#).sawResult == false)
    }

    @Test func claudeNamesWhatWentWrong() {
        #expect(claude(#"{"type":"result","is_error":true,"result":"API Error: 400"}"#).failure == "API Error: 400")
        #expect(claude(#"{"type":"result","is_error":true,"errors":["a","b"]}"#).failure == "a; b")
        #expect(claude(#"{"type":"result","is_error":true,"subtype":"error_max_turns"}"#).failure == "error_max_turns")
    }

    @Test func codexTakesTheLastMessageAndSumsTokens() {
        let summary = codex(
            #"{"type":"thread.started","thread_id":"01a20a36-ade4"}"#,
            #"{"type":"item.completed","item":{"type":"agent_message","text":"one"}}"#,
            #"{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":2}}"#,
            #"{"type":"item.completed","item":{"type":"agent_message","text":"two"}}"#,
            #"{"type":"turn.completed","usage":{"input_tokens":10,"output_tokens":20}}"#)
        #expect(summary.result == "two")
        #expect(summary.inputTokens == 11)
        #expect(summary.outputTokens == 22)
        #expect(summary.sessionID == "01a20a36-ade4")
        #expect(summary.sawResult)
    }

    @Test func codexNamesWhatWentWrong() {
        #expect(codex(#"{"type":"error","message":"first"}"#).failure == "first")
        let summary = codex(
            #"{"type":"error","message":"first"}"#, #"{"type":"turn.failed","error":{"message":"why"}}"#)
        #expect(summary.failure == "why")
        #expect(summary.sawResult)
    }

    /// The agent's work can print lines of its own, so a session id is an attacker's text that becomes an argument.
    @Test(arguments: ["--help", "-c", "", "a b", "../x", "a\u{0}b", "é", String(repeating: "a", count: 65)])
    func aSessionIDThatCouldBeAnotherArgumentIsIgnored(id: String) {
        #expect(!SessionID.isValid(id))
        #expect(claude(#"{"type":"system","session_id":"\#(id)"}"#).sessionID == nil)
        #expect(codex(#"{"type":"thread.started","thread_id":"\#(id)"}"#).sessionID == nil)
    }

    @Test func forgedTokenCountsNeitherTrapNorCountDown() {
        let summary = claude(
            #"{"type":"result","usage":{"input_tokens":9223372036854775807,"output_tokens":-5}}"#,
            #"{"type":"result","usage":{"input_tokens":9223372036854775807,"output_tokens":1e3}}"#,
            #"{"type":"result","usage":{"input_tokens":99999999999999999999,"output_tokens":"7"}}"#)
        #expect(summary.inputTokens == .max)
        #expect(summary.outputTokens == 0)
    }

    @Test func shellKeepsTheEndOfTheOutput() {
        var normalizer = ShellNormalizer()
        for number in 0..<20_000 { _ = normalizer.line(Array("line \(number)".utf8)) }
        let result = normalizer.summary.result
        #expect(result.utf8.count <= ShellNormalizer.resultBytes)
        #expect(result.utf8.count > ShellNormalizer.resultBytes - 20)
        #expect(result.hasPrefix("line "))
        #expect(result.hasSuffix("\nline 19999"))

        var short = ShellNormalizer()
        _ = short.line(Array("a".utf8))
        _ = short.line(Array("b".utf8))
        #expect(short.summary.result == "a\nb")
        #expect(ShellNormalizer().summary.result == "")
    }

    @Test func shellReportsStandardErrorOnceAtTheEnd() throws {
        var normalizer = ShellNormalizer()
        for nothing in ["", "\n"] {
            let event = normalizer.finish(standardError: Array(nothing.utf8))
            #expect(event == nil)
        }
        let event = normalizer.finish(standardError: Array("one\n\u{1}two\n".utf8))
        let output = try #require(event)
        #expect(output.kind == .error)
        #expect(
            String(decoding: output.data, as: UTF8.self)
                == #"{"type":"error","content":"one\n\u0001two","cli":"shell","raw":"one\n\u0001two"}"#)
    }

    private func claude(_ lines: String...) -> AgentSummary { read(ClaudeCodeNormalizer(), lines) }
    private func codex(_ lines: String...) -> AgentSummary { read(CodexNormalizer(), lines) }

    private func read(_ normalizer: some OutputNormalizer, _ lines: [String]) -> AgentSummary {
        var normalizer = normalizer
        for line in lines { _ = normalizer.line(Array(line.utf8)) }
        return normalizer.summary
    }
}
